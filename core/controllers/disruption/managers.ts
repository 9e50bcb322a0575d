/**
 * How many pods the manager of a pod wants: built-in managers are read from listers, those of any other kind are asked
 * for their scale. A replica set of a deployment is the deployment's.
 */
import { deployments } from '../../api/apps/deployment.ts'
import { replicaSets } from '../../api/apps/replicaset.ts'
import { statefulSets } from '../../api/apps/statefulset.ts'
import { replicationControllers } from '../../api/core/replicationcontroller.ts'
import { qualified } from '../../api/errors.ts'
import type { KindRef } from '../../api/kind.ts'
import { controllerOf, parseApiVersion, type KubeObject } from '../../api/meta.ts'
import type { OwnerReference, Scale } from '../../api/schema/types.ts'
import type { Client } from '../../client/client.ts'
import type { Lister } from '../../client/lister.ts'
import type { Ctx } from '../../lib/ctx.ts'
import type { Env } from '../controller.ts'

export interface Manager {
  readonly uid: string
  readonly replicas: number
}

/** Undefined: there is no such manager. Throws where its kind is not known or cannot be scaled. */
export type FindManager = (ctx: Ctx, client: Client, owner: Readonly<OwnerReference>, namespace: string) => Promise<Manager | undefined>

interface Scalable extends KubeObject {
  spec?: { replicas?: number }
}

export function managers(env: Env): FindManager {
  const controllers = env.read<Scalable>(replicationControllers)
  const deploymentsOf = env.read<Scalable>(deployments)
  const sets = env.read<Scalable>(replicaSets)
  const stateful = env.read<Scalable>(statefulSets)

  const builtIn = (owner: Readonly<OwnerReference>, namespace: string): Manager | undefined => {
    if (is(owner, 'ReplicationController', '')) return found(controllers, owner, namespace)
    if (is(owner, 'StatefulSet', 'apps')) return found(stateful, owner, namespace)
    if (!is(owner, 'ReplicaSet', 'apps', 'extensions')) return undefined
    const set = itsObject(sets, owner, namespace)
    const above = set === undefined ? undefined : controllerOf(set)
    if (set === undefined || above === undefined || above.kind !== 'Deployment') return managerOf(set)
    return is(above, 'Deployment', 'apps', 'extensions') ? found(deploymentsOf, above, namespace) : undefined
  }
  return async (ctx, client, owner, namespace) => builtIn(owner, namespace) ?? (await byScale(env, ctx, client, owner, namespace))
}

function is(owner: Readonly<OwnerReference>, kind: string, ...groups: readonly string[]): boolean {
  return owner.kind === kind && groups.includes(parseApiVersion(owner.apiVersion).group)
}

function itsObject(lister: Lister<Scalable>, owner: Readonly<OwnerReference>, namespace: string): Readonly<Scalable> | undefined {
  const object = lister.get({ namespace, name: owner.name })
  return object?.metadata.uid === owner.uid ? object : undefined
}

const found = (lister: Lister<Scalable>, owner: Readonly<OwnerReference>, namespace: string): Manager | undefined => managerOf(itsObject(lister, owner, namespace))

function managerOf(object: Readonly<Scalable> | undefined): Manager | undefined {
  return object === undefined ? undefined : { uid: object.metadata.uid ?? '', replicas: object.spec?.replicas ?? 1 }
}

async function byScale(env: Env, ctx: Ctx, client: Client, owner: Readonly<OwnerReference>, namespace: string): Promise<Manager | undefined> {
  const { group, version } = parseApiVersion(owner.apiVersion)
  const kind = env.settings.kinds().find((k) => k.group === group && k.version === version && k.kind === owner.kind)
  if (kind === undefined) throw new Error(`no matches for kind ${JSON.stringify(owner.kind)} in version ${JSON.stringify(owner.apiVersion)}`)
  const scale = await client.get(ctx, kind as KindRef<Scale>, { namespace, name: owner.name }, { subresource: 'scale' })
  if (scale !== undefined) return scale.metadata.uid === owner.uid ? { uid: scale.metadata.uid ?? '', replicas: scale.spec?.replicas ?? 0 } : undefined
  if (kind.scale === undefined) throw new Error(`${qualified({ group, resource: kind.plural })} does not implement the scale subresource`)
  return undefined
}
