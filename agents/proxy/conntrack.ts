/**
 * Forgets UDP flows whose endpoint went away. The kernel ties a UDP flow to the
 * endpoint of its first packet for as long as packets come; without this a
 * resolver that keeps its port would talk to a pod that is gone. TCP ends by itself.
 */
import type { Ctx } from '../../core/lib/ctx.ts'
import { ExecError, type Exec } from '../host/exec.ts'
import type { Frontend } from './frontends.ts'

export interface StaleFlow {
  readonly ip: string
  readonly port: number
  /** The endpoint that went; undefined: flows that were never translated. */
  readonly backend: string | undefined
}

/** Flows that must end when the table goes from `prev` to `next`. */
export function staleFlows(prev: readonly Frontend[], next: readonly Frontend[]): StaleFlow[] {
  const udp = (list: readonly Frontend[]): Map<string, Frontend> =>
    new Map(list.filter((f) => f.protocol === 'udp' && f.from === 'all').map((f) => [`${f.ip} ${f.port}`, f]))
  const [before, after] = [udp(prev), udp(next)]
  const gone = [...before].flatMap(([id, { ip, port, backends }]) => {
    const alive = new Set(after.get(id)?.backends.map((b) => `${b.ip} ${b.port}`))
    return backends.filter((b) => !alive.has(`${b.ip} ${b.port}`)).map((b) => ({ ip, port, backend: b.ip }))
  })
  // A client that kept sending while there was nobody has a flow that goes nowhere.
  const woken = [...after].filter(([id, f]) => f.backends.length > 0 && (before.get(id)?.backends.length ?? 0) === 0)
  return [...gone, ...woken.map(([, { ip, port }]) => ({ ip, port, backend: undefined }))]
}

/** Quiet where the conntrack program is missing: says so once, in the log. */
export function conntrackCleaner(exec: Exec): (ctx: Ctx, flows: readonly StaleFlow[]) => Promise<void> {
  let missing = false
  return async (ctx, flows) => {
    for (const { ip, port, backend } of flows) {
      if (missing) return
      const args = ['-D', '-p', 'udp', '--orig-dst', ip, '--orig-port-dst', String(port), '--reply-src', backend ?? ip]
      try {
        await exec.run(ctx, 'conntrack', args, { okCodes: [1] })
      } catch (error) {
        if (!(error instanceof ExecError)) throw error
        missing = error.stderr.includes('not installed')
        ctx.log.warn(missing ? 'conntrack is not installed: UDP clients keep endpoints that are gone until they pause' : 'forget UDP flows', { error })
      }
    }
  }
}
