/**
 * Connections that are ordinary requests: logs, and the proxy to nodes, pods and services. The answer streams through as
 * it comes. Upgraded connections (exec, attach, port-forward, WebSocket proxies) are upgrade.ts.
 */
import { badRequest } from '../../api/errors.ts'
import { writeOptions, askedOf } from '../verbs/options.ts'
import type { ApiServerDeps, Call } from '../deps.ts'
import type { Exchange } from '../exchange.ts'
import { Query } from '../request.ts'
import { forward } from './forward.ts'
import { locate } from './location.ts'
import { attributesOf, authorize } from '../access.ts'
import { connectOptions } from './options.ts'

/** The query of a connection belongs to the other side; none of it is an option of ours. */
const noOptions = new Query('')

export const streaming: ReadonlySet<string> = new Set(['exec', 'attach', 'portforward'])

export async function connect(deps: ApiServerDeps, call: Call, exchange: Exchange): Promise<void> {
  const { info } = call
  const { outlet } = exchange
  if (info.subresource === 'proxy' && info.rest === '' && !info.path.endsWith('/') && (info.method === 'GET' || info.method === 'HEAD')) {
    // Relative links in what the other side answers only work below the slash.
    outlet.send(301, { location: `${info.path}/${info.query.raw === '' ? '' : `?${info.query.raw}`}` }, undefined)
    return
  }
  await admitConnect(deps, call)
  const location = await locate(deps, call)
  if (location === undefined) {
    outlet.send(200, { 'content-type': 'text/plain', 'cache-control': 'no-cache, private' }, new Uint8Array())
    return
  }
  if (streaming.has(info.subresource)) throw badRequest('Upgrade request required')
  await forward(call, exchange, location)
}

/** Admission of a connection (CONNECT), and the right to create that upstream asks for besides the verb of the path. */
export async function admitConnect(deps: ApiServerDeps, call: Call): Promise<void> {
  if (streaming.has(call.info.subresource) && call.info.verb !== 'create') {
    await authorize(deps.authorizer, { ...attributesOf(call.info, call.user), verb: 'create' })
  }
  if (call.info.subresource === 'log') return
  const asked = askedOf('CreateOptions', noOptions, call.agent)
  const options = connectOptions(call)
  const { admission } = writeOptions(deps, call, asked, { operation: 'CONNECT', as: { kind: { group: '', version: 'v1', kind: options.kind ?? '' } } })
  await admission.mutate(options, undefined)
  await admission.validate(options, undefined)
}
