/**
 * Keeps the objects that come with a cluster: made where they are missing, their specs brought up to date as far as nobody
 * has taken that into his own hands, removed where a version no longer has them
 * (k8s.io/kubernetes/pkg/registry/flowcontrol: rest/storage_flowcontrol.go, ensurer/strategy.go).
 */
import { autoUpdateAnnotation, exemptName, mandatoryLevels, mandatorySchemas, suggestedLevels, suggestedSchemas } from '../../api/flowcontrol/bootstrap.ts'
import { flowSchemas } from '../../api/flowcontrol/flowschema.ts'
import { priorityLevelConfigurations } from '../../api/flowcontrol/prioritylevelconfiguration.ts'
import { isApiError } from '../../api/errors.ts'
import type { KindRef } from '../../api/kind.ts'
import type { FlowSchema, PriorityLevelConfiguration } from '../../api/schema/types.ts'
import type { Client } from '../../client/client.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { cloneJson, equalJson } from '../../lib/json.ts'
import { errorPath } from '../../lib/log.ts'

const producerManager = 'api-priority-and-fairness-config-producer-v1'
const everyMs = 60_000

type Configured = FlowSchema | PriorityLevelConfiguration

export async function ensureFlowConfig(ctx: Ctx, client: Client): Promise<void> {
  await Promise.all([
    ensureAll(ctx, client, priorityLevelConfigurations, suggestedLevels, mandatoryLevels),
    ensureAll(ctx, client, flowSchemas, suggestedSchemas, mandatorySchemas),
  ])
}

/** Again and again until ctx ends. */
export async function keepFlowConfig(ctx: Ctx, client: Client): Promise<void> {
  for (;;) {
    await ctx.clock.sleep(everyMs, ctx.signal)
    try {
      await ensureFlowConfig(ctx, client)
    } catch (error) {
      ctx.log.warn('objects of flow control', { error: errorPath(error) })
    }
  }
}

async function ensureAll<T extends Configured>(ctx: Ctx, client: Client, kind: KindRef<T>, suggested: readonly T[], mandatory: readonly T[]): Promise<void> {
  const { items } = await client.list(ctx, kind)
  const have = new Map(items.map((object) => [object.metadata.name, object]))
  const wanted = [...suggested.map((object) => ({ object, always: false })), ...mandatory.map((object) => ({ object, always: true }))]
  await Promise.all(wanted.map(({ object, always }) => ensure(ctx, client, kind, have.get(object.metadata.name), object, always)))
  const known = new Set(wanted.map(({ object }) => object.metadata.name))
  const unwanted = items.filter((object) => !known.has(object.metadata.name) && boolOf(object.metadata.annotations?.[autoUpdateAnnotation]) === true)
  await Promise.all(unwanted.map(({ metadata }) => client.delete(ctx, kind, { namespace: '', name: metadata.name ?? '' })))
}

async function ensure<T extends Configured>(ctx: Ctx, client: Client, kind: KindRef<T>, have: Readonly<T> | undefined, want: T, always: boolean): Promise<void> {
  try {
    if (have === undefined) {
      await client.create(ctx, kind, cloneJson(want), { fieldManager: producerManager })
      return
    }
    const next = revised(have, want, always)
    if (next !== undefined) await client.update(ctx, kind, next, { fieldManager: producerManager })
  } catch (error) {
    // Somebody else was quicker: the next round looks again.
    if (!isApiError(error, 'AlreadyExists') && !isApiError(error, 'Conflict')) throw error
  }
}

/** What is to be written; undefined where all is well. */
function revised<T extends Configured>(have: Readonly<T>, want: Readonly<T>, always: boolean): T | undefined {
  const annotated = boolOf(have.metadata.annotations?.[autoUpdateAnnotation])
  // Without a word about it, a spec that was never changed may be.
  const auto = always || (annotated ?? have.metadata.generation === 1)
  const changed = auto && !asWanted(have, want)
  if (annotated === auto && !changed) return undefined
  const next = cloneJson(have) as T
  if (changed) Object.assign(next, { spec: cloneJson(want.spec) })
  next.metadata.annotations = { ...next.metadata.annotations, [autoUpdateAnnotation]: String(auto) }
  return next
}

function asWanted(have: Readonly<Configured>, want: Readonly<Configured>): boolean {
  const spec = have.spec
  // The exempt level's own figures are the cluster's business.
  if (want.metadata.name === exemptName && want.spec !== undefined && 'exempt' in want.spec) {
    const exempt = (spec as PriorityLevelConfiguration['spec'])?.exempt
    return exempt !== undefined && equalJson({ ...spec, exempt: undefined }, { ...want.spec, exempt: undefined })
  }
  return equalJson(spec, want.spec)
}

/** As Go's ParseBool reads it. */
function boolOf(text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined
  if (/^(1|t|T|true|TRUE|True)$/.test(text)) return true
  return /^(0|f|F|false|FALSE|False)$/.test(text) ? false : undefined
}
