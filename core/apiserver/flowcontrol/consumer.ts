/**
 * The cluster's FlowSchemas and PriorityLevelConfigurations as flow control uses them: followed change by change, and each
 * schema told in its status whether the level exists that it names (k8s.io/apiserver/pkg/util/flowcontrol/apf_controller.go).
 */
import { isApiError } from '../../api/errors.ts'
import { flowSchemas } from '../../api/flowcontrol/flowschema.ts'
import { priorityLevelConfigurations } from '../../api/flowcontrol/prioritylevelconfiguration.ts'
import type { FlowSchema, FlowSchemaCondition, PriorityLevelConfiguration } from '../../api/schema/types.ts'
import { formatTime } from '../../api/time.ts'
import type { Changes } from '../../auth/lookup.ts'
import type { Client } from '../../client/client.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { errorPath } from '../../lib/log.ts'
import type { FlowControl } from './flowcontrol.ts'
import { modeOf } from './levels.ts'

export const consumerManager = 'api-priority-and-fairness-config-consumer-v1'
/** Statuses of one schema written in a minute: more is a quarrel with another writer. */
const writesPerMinuteMax = 6
const againMs = 30_000

export class FlowConfig {
  readonly #flow: FlowControl
  readonly #levels = new Map<string, Readonly<PriorityLevelConfiguration>>()
  readonly #schemas = new Map<string, Readonly<FlowSchema>>()
  /** When which schema's status was written. */
  readonly #written: { readonly at: number; readonly name: string }[] = []
  #dirty = false
  #changed: (() => void) | undefined

  /** Follows from now on; what is there already counts at once. */
  constructor(flow: FlowControl, changes: Changes) {
    this.#flow = flow
    changes.follow(priorityLevelConfigurations, (change) => this.#note(this.#levels, change))
    changes.follow(flowSchemas, (change) => this.#note(this.#schemas, change))
    this.#digest()
  }

  /** Writes statuses until ctx ends. */
  async run(ctx: Ctx, client: Client): Promise<void> {
    for (;;) {
      const changed = new Promise<void>((resolve) => (this.#changed = resolve))
      const again = await this.#tell(ctx, client)
      await (again ? Promise.race([changed, ctx.clock.sleep(againMs, ctx.signal)]) : unlessEnded(ctx, changed))
      if (ctx.signal.aborted) return
    }
  }

  #note<T extends FlowSchema | PriorityLevelConfiguration>(map: Map<string, Readonly<T>>, { type, object }: { readonly type: 'set' | 'delete'; readonly object: Readonly<T> }): void {
    const name = object.metadata.name ?? ''
    if (type === 'delete') map.delete(name)
    else map.set(name, object)
    if (this.#dirty) return
    // Many come at once at start.
    this.#dirty = true
    setImmediate(() => this.#digest())
  }

  #digest(): void {
    this.#dirty = false
    this.#flow.configure([...this.#levels.values()], [...this.#schemas.values()])
    this.#changed?.()
  }

  /** True when something is left to be told later. */
  async #tell(ctx: Ctx, client: Client): Promise<boolean> {
    let again = false
    const schemas = [...this.#schemas.values()] // they change while they are written
    for (const schema of schemas) {
      const want = this.#wanted(schema)
      const have = schema.status?.conditions?.find((condition) => condition.type === 'Dangling')
      if (have?.status === want.status && have?.reason === want.reason && have?.message === want.message) continue
      const name = schema.metadata.name ?? ''
      if (this.#tooOften(name, ctx.clock.monotonic())) again = true
      else again = !(await write(ctx, client, name, { ...want, lastTransitionTime: formatTime(ctx.clock.now()) })) || again
    }
    return again
  }

  #wanted(schema: Readonly<FlowSchema>): FlowSchemaCondition {
    const level = schema.spec?.priorityLevelConfiguration.name ?? ''
    const object = this.#levels.get(level)
    const found = object !== undefined && modeOf(object) !== undefined
    const named = `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(level)}`
    return found
      ? { type: 'Dangling', status: 'False', reason: 'Found', message: `${named} and it exists` }
      : { type: 'Dangling', status: 'True', reason: 'NotFound', message: `${named} but there is no such object` }
  }

  #tooOften(name: string, now: number): boolean {
    while ((this.#written[0]?.at ?? now) < now - 60_000) this.#written.shift()
    if (this.#written.filter((one) => one.name === name).length >= writesPerMinuteMax) return true
    this.#written.push({ at: now, name })
    return false
  }
}

async function write(ctx: Ctx, client: Client, name: string, condition: FlowSchemaCondition): Promise<boolean> {
  const patch = { apiVersion: 'flowcontrol.apiserver.k8s.io/v1', kind: 'FlowSchema', metadata: { name }, status: { conditions: [condition] } }
  try {
    await client.patch(ctx, flowSchemas, { namespace: '', name }, 'apply', patch, { subresource: 'status', fieldManager: consumerManager, force: true })
    return true
  } catch (error) {
    if (isApiError(error, 'NotFound')) return true // it has just gone
    ctx.log.warn('status of a flow schema', { name, error: errorPath(error) })
    return false
  }
}

function unlessEnded(ctx: Ctx, changed: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      ctx.signal.removeEventListener('abort', end)
      resolve()
    }
    ctx.signal.addEventListener('abort', end, { once: true })
    void changed.then(end)
    if (ctx.signal.aborted) end()
  })
}
