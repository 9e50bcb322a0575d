/** get and list: straight to the registry, whose items carry their bytes. */
import type { ApiServerDeps, Call, Outcome } from '../deps.ts'
import { listQuery } from './options.ts'

export async function getVerb(deps: ApiServerDeps, call: Call): Promise<Outcome> {
  const { info } = call
  const resourceVersion = info.query.get('resourceVersion')
  const key = { namespace: info.namespace, name: info.name }
  const item = await deps.registry.get(call.ctx, call.kind, key, resourceVersion === undefined ? {} : { resourceVersion })
  return { type: 'item', code: 200, item }
}

export async function listVerb(deps: ApiServerDeps, call: Call): Promise<Outcome> {
  const result = await deps.registry.list(call.ctx, call.kind, listQuery(call))
  return { type: 'list', kind: call.kind, result }
}
