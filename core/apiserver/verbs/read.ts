/** get and list: straight to the registry, whose items carry their bytes. */
import { ApiError } from '../../api/errors.ts'
import type { ApiServerDeps, Call, Outcome } from '../deps.ts'
import { listQuery, versionError } from './options.ts'

export async function getVerb(deps: ApiServerDeps, call: Call): Promise<Outcome> {
  const { info } = call
  const resourceVersion = info.query.get('resourceVersion')
  const wrong = versionError(resourceVersion ?? '')
  if (wrong !== undefined)
    throw new ApiError({
      code: 500,
      reason: '',
      message: `resourceVersion: Invalid value: ${JSON.stringify(resourceVersion)}: ${wrong}`,
    })
  const key = { namespace: info.namespace, name: info.name }
  const item = await deps.registry.get(
    call.ctx,
    call.kind,
    key,
    resourceVersion === undefined ? {} : { resourceVersion },
  )
  return { type: 'item', code: 200, item }
}

export async function listVerb(deps: ApiServerDeps, call: Call): Promise<Outcome> {
  const result = await deps.registry.list(call.ctx, call.kind, listQuery(call))
  return { type: 'list', kind: call.kind, result }
}
