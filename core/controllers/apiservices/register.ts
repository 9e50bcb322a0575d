/**
 * Keeps an APIService for every group-version that this server serves: those that are built in are made when the server
 * starts, and after that are their users'; those of custom kinds come and go with their definitions
 * (kube-aggregator/pkg/controllers/autoregister, pkg/controlplane/controller/crdregistration).
 */
import { apiServiceName, apiServices } from '../../api/apiregistration/apiservice.ts'
import { builtinPriority, customPriority, type Priority } from '../../api/apiregistration/priorities.ts'
import { isApiError } from '../../api/errors.ts'
import type { Kind } from '../../api/kind.ts'
import type { APIService, CustomResourceDefinition } from '../../api/schema/types.ts'
import type { Lister } from '../../client/lister.ts'
import { cloneJson, equalJson } from '../../lib/json.ts'
import { serverIdentity, type Controller } from '../controller.ts'
import { itself } from '../run.ts'

export const managedLabel = 'kube-aggregator.kubernetes.io/automanaged'
const onStart = 'onstart'
const always = 'true'

export const apiServiceRegistration: Controller = {
  name: 'autoregister',
  identity: serverIdentity,
  workers: 5,
  setUp(env) {
    const builtIn = builtInServices(env.settings.kinds())
    const lister = env.watch(apiServices, itself)
    const definitions = definitionsKind(env.settings.kinds())
    if (definitions !== undefined) env.informers.of(definitions).addIndex(servedIndex, servedNames)
    const custom = definitions === undefined ? undefined : env.watch(definitions, (crd) => (crd.spec.versions ?? []).map(({ name }) => apiServiceName({ group: crd.spec.group, version: name })))
    const done = new Set<string>()
    let atStart: ReadonlySet<string> | undefined
    for (const name of builtIn.keys()) env.queue.add(name)
    return async (ctx, name, client) => {
      atStart ??= new Set(lister.list().map((have) => have.metadata.name ?? ''))
      const want = builtIn.get(name) ?? customService(custom, name)
      const have = lister.at(name)
      const step = stepFor({ want, have, isDone: done.has(name), wasAtStart: atStart.has(name) })
      try {
        if (step === 'create' && want !== undefined) await client.create(ctx, apiServices, want)
        if (step === 'update' && want !== undefined && have !== undefined) await client.update(ctx, apiServices, { ...(cloneJson(have) as APIService), ...(want.spec === undefined ? {} : { spec: want.spec }) })
        if (step === 'delete') await client.delete(ctx, apiServices, { namespace: '', name }, have?.metadata.uid === undefined ? {} : { preconditions: { uid: have.metadata.uid } })
      } catch (error) {
        // Somebody was quicker: the change that follows comes here again.
        if (!isApiError(error, 'AlreadyExists') && !isApiError(error, 'NotFound') && !isApiError(error, 'Conflict')) throw error
      }
      done.add(name)
    }
  },
}

interface Situation {
  readonly want: Readonly<APIService> | undefined
  readonly have: Readonly<APIService> | undefined
  /** Since this server started. */
  readonly isDone: boolean
  readonly wasAtStart: boolean
}

/** What is made once is its users' afterwards; what nobody manages is left alone. */
export function stepFor({ want, have, isDone, wasAtStart }: Situation): 'create' | 'update' | 'delete' | 'nothing' {
  if (isDone && managed(want) === onStart) return 'nothing'
  if (have === undefined) return want === undefined ? 'nothing' : 'create'
  const how = managed(have)
  if (how !== onStart && how !== always) return 'nothing'
  if (how === onStart && (isDone || !wasAtStart)) return 'nothing'
  if (want === undefined) return 'delete'
  return equalJson(have.spec, want.spec) ? 'nothing' : 'update'
}

function managed(service: Readonly<APIService> | undefined): string | undefined {
  return service?.metadata.labels?.[managedLabel]
}

function builtInServices(kinds: readonly Kind[]): ReadonlyMap<string, APIService> {
  const found = new Map<string, APIService>()
  for (const { group, version, custom } of kinds) {
    const priority = custom === undefined ? builtinPriority(group, version) : undefined
    if (priority !== undefined) found.set(apiServiceName({ group, version }), service(group, version, priority, onStart))
  }
  return found
}

function definitionsKind(kinds: readonly Kind[]): Kind<CustomResourceDefinition> | undefined {
  return kinds.find(({ group, plural }) => group === 'apiextensions.k8s.io' && plural === 'customresourcedefinitions') as Kind<CustomResourceDefinition> | undefined
}

/** Definitions by the APIServices that they want: many may share one. */
const servedIndex = 'served as'

function servedNames({ spec }: Readonly<CustomResourceDefinition>): readonly string[] {
  return (spec.versions ?? []).filter(({ served }) => served).map(({ name }) => apiServiceName({ group: spec.group, version: name }))
}

function customService(definitions: Lister<CustomResourceDefinition> | undefined, name: string): APIService | undefined {
  const group = definitions?.one(servedIndex, name)?.spec.group
  return group === undefined ? undefined : service(group, name.slice(0, -group.length - 1), customPriority, always)
}

function service(group: string, version: string, priority: Priority, how: string): APIService {
  return {
    metadata: { name: apiServiceName({ group, version }), labels: { [managedLabel]: how } },
    spec: { ...(group === '' ? {} : { group }), version, groupPriorityMinimum: priority.group, versionPriority: priority.version },
  }
}
