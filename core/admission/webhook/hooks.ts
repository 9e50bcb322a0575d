/** The webhooks of all configurations of one kind, compiled once a change, in calling order: by the configuration's name, then as written. */
import type { KindRef } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta.ts'
import type { MutatingWebhook, ValidatingWebhook } from '../../api/schema/types.ts'
import type { Changes } from '../../auth/lookup.ts'
import type { RemoteTarget } from '../../client/remote.ts'
import { criteriaOf, type Criteria } from '../match.ts'
import { compileConditions, type Conditions } from './conditions.ts'

export interface Hook {
  readonly name: string
  readonly configuration: string
  /** Of this webhook among all of its kind, for as long as configurations stay as they are. */
  readonly id: string
  readonly criteria: Criteria
  readonly conditions: Conditions | undefined
  readonly target: RemoteTarget
  readonly timeoutS: number
  readonly ignoresFailure: boolean
  readonly sideEffects: string | undefined
  readonly reviewVersions: readonly string[]
  readonly reinvoked: boolean
}

interface Configuration extends KubeObject {
  readonly webhooks?: readonly (ValidatingWebhook & Pick<MutatingWebhook, 'reinvocationPolicy'>)[]
}

const timeoutSDefault = 10

/** A view that is as new as the last change that was acknowledged. */
export function followHooks(changes: Changes, kind: KindRef): () => readonly Hook[] {
  const configurations = new Map<string, readonly Hook[]>()
  let all: readonly Hook[] = []
  changes.follow<KubeObject>(kind, ({ type, object }) => {
    const name = object.metadata.name ?? ''
    if (type === 'delete') configurations.delete(name)
    else configurations.set(name, hooksOf(object as Readonly<Configuration>))
    all = [...configurations].toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).flatMap(([, hooks]) => hooks)
  })
  return () => all
}

function hooksOf(configuration: Readonly<Configuration>): readonly Hook[] {
  const name = configuration.metadata.name ?? ''
  const seen = new Map<string, number>()
  return (configuration.webhooks ?? []).map((one) => {
    const nth = seen.get(one.name) ?? 0
    seen.set(one.name, nth + 1)
    return {
      name: one.name,
      configuration: name,
      id: `${name}/${one.name}/${nth}`,
      criteria: criteriaOf(one),
      conditions: compileConditions(one.matchConditions ?? [], { ignoresFailure: one.failurePolicy === 'Ignore' }),
      target: targetOf(one),
      timeoutS: one.timeoutSeconds ?? timeoutSDefault,
      ignoresFailure: one.failurePolicy === 'Ignore',
      sideEffects: one.sideEffects,
      reviewVersions: one.admissionReviewVersions,
      reinvoked: one.reinvocationPolicy === 'IfNeeded',
    }
  })
}

function targetOf({ clientConfig: { url, service, caBundle } }: Readonly<ValidatingWebhook>): RemoteTarget {
  return { ...(url === undefined ? {} : { url }), ...(service === undefined ? {} : { service }), ...(caBundle === undefined ? {} : { caBundle }) }
}
