/**
 * /livez, /readyz and /healthz, each check also under a path of its own, with ?verbose and ?exclude as upstream prints
 * them (k8s.io/apiserver/pkg/server/healthz).
 */
import type { Context, Hono } from 'hono'
import { errorPath } from '../lib/log.ts'
import type { HealthCheck } from './deps.ts'

export interface Health {
  readonly checks: readonly HealthCheck[]
  /** Set when the server is told to stop: /readyz fails from then on, everything else goes on for a while. */
  stopping: boolean
}

const textHeaders = {
  'content-type': 'text/plain; charset=utf-8',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-cache, private',
}

export function healthRoutes(app: Hono, health: Health): void {
  for (const name of ['livez', 'readyz', 'healthz'] as const) {
    app.all(`/${name}`, (c) => all(c, name, checksOf(name, health)))
    app.get(`/${name}/:check{.+}`, (c) => one(c, name, checksOf(name, health)))
  }
}

/** That an answer comes at all is what is checked. */
const ping: HealthCheck = { name: 'ping', live: true, check: () => undefined }
/** Upstream's log may block; ours is written by the loop that answers. */
const log: HealthCheck = { name: 'log', live: true, check: () => undefined }

function checksOf(endpoint: 'livez' | 'readyz' | 'healthz', health: Health): readonly HealthCheck[] {
  const checks = [ping, log, ...health.checks.filter((check) => endpoint !== 'livez' || check.live)]
  if (endpoint !== 'readyz') return checks
  const shutdown = {
    name: 'shutdown',
    live: false,
    check: () => {
      if (health.stopping) throw new Error('process is shutting down')
    },
  }
  return [...checks, shutdown]
}

async function all(c: Context, endpoint: string, checks: readonly HealthCheck[]): Promise<Response> {
  const excluded = new Set(c.req.queries('exclude') ?? [])
  const verbose = c.req.query('verbose') !== undefined
  const lines: string[] = []
  let failed = false
  for (const check of checks) {
    if (excluded.delete(check.name)) {
      lines.push(`[+]${check.name} excluded: ok`)
      continue
    }
    if ((await problemOf(check)) === undefined) lines.push(`[+]${check.name} ok`)
    else {
      failed = true
      // Reasons are for the log: whoever asks may be anonymous.
      lines.push(`[-]${check.name} failed: reason withheld`)
    }
  }
  if (excluded.size > 0) {
    lines.push(
      `warn: some health checks cannot be excluded: no matches for ${[...excluded].map((name) => JSON.stringify(name)).join(', ')}`,
    )
  }
  if (failed)
    return new Response(`${lines.join('\n')}\n${endpoint} check failed\n`, { status: 500, headers: textHeaders })
  return new Response(verbose ? `${lines.join('\n')}\n${endpoint} check passed\n` : 'ok', { headers: textHeaders })
}

async function one(c: Context, endpoint: string, checks: readonly HealthCheck[]): Promise<Response> {
  const name = c.req.path.slice(endpoint.length + 2)
  const check = checks.find((known) => known.name === name)
  if (check === undefined) return new Response('404 page not found\n', { status: 404, headers: textHeaders })
  const problem = await problemOf(check)
  if (problem === undefined) return new Response('ok', { headers: textHeaders })
  return new Response(`internal server error: ${problem}\n`, { status: 500, headers: textHeaders })
}

/** Undefined: the check holds. */
async function problemOf({ check }: HealthCheck): Promise<string | undefined> {
  try {
    await check()
    return undefined
  } catch (error) {
    return errorPath(error)
  }
}
