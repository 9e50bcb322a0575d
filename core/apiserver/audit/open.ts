/** Auditing as a server is told to do it: which policy, which file, which webhook. */
import { readFile } from 'node:fs/promises'
import { parseYaml } from '../../api/codec/yaml.ts'
import { kubeconfigTarget } from '../../client/kubeconfig.ts'
import type { Remote } from '../../client/remote.ts'
import type { Ctx } from '../../lib/ctx.ts'
import type { Metrics } from '../../lib/metrics.ts'
import { Audit, type Sink } from './audit.ts'
import { openAuditFile, type FileOptions } from './file.ts'
import { builtInPolicy, readPolicy, type Policy } from './policy.ts'
import { Webhook, type WebhookOptions } from './webhook.ts'

export interface AuditConfig {
  /** Without: the built-in policy. */
  readonly policyFile: string | undefined
  /** The path `-` is standard output. */
  readonly log: FileOptions | undefined
  readonly webhook: ({ readonly configFile: string } & Partial<WebhookOptions>) | undefined
}

/** undefined where nobody wants to hear anything. Throws what is wrong with a file, by its name. */
export async function openAudit(ctx: Ctx, config: AuditConfig, parts: { readonly metrics: Metrics; readonly remote: Pick<Remote, 'post'> }): Promise<Audit | undefined> {
  const policy = config.policyFile === undefined ? builtInPolicy : await policyOf(config.policyFile)
  const sinks: Sink[] = []
  let audit: Audit | undefined
  if (config.log !== undefined) sinks.push(config.log.path === '-' ? standardOutput : await openAuditFile(ctx, config.log, (events) => audit?.lost('log', events)))
  if (config.webhook !== undefined) {
    const { configFile, ...options } = config.webhook
    sinks.push(new Webhook(ctx, { target: kubeconfigTarget(configFile), remote: parts.remote, options, lost: (events) => audit?.lost('webhook', events) }))
  }
  if (sinks.length > 0) audit = new Audit({ policy, sinks, clock: ctx.clock, metrics: parts.metrics })
  return audit
}

async function policyOf(path: string): Promise<Policy> {
  const parsed = parseYaml(await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new Error(`audit policy ${path}`, { cause })
  }))
  if (!parsed.ok) throw new Error(`audit policy ${path}: ${parsed.error}`)
  try {
    return readPolicy(parsed.value)
  } catch (cause) {
    throw new Error(`audit policy ${path}`, { cause })
  }
}

const standardOutput: Sink = {
  name: 'log',
  add(line) {
    process.stdout.write(line)
    return true
  },
  close: () => Promise.resolve(),
}
