/** The query of a connection as the object that admission sees: PodExecOptions and its like, which nobody stores (k8s.io/api/core/v1). */
import type { AnyObject } from '../../api/meta.ts'
import type { Call } from '../deps.ts'

const kinds: Readonly<Record<string, string>> = { exec: 'PodExecOptions', attach: 'PodAttachOptions', portforward: 'PodPortForwardOptions' }
const proxied: Readonly<Record<string, string>> = { pods: 'PodProxyOptions', services: 'ServiceProxyOptions', nodes: 'NodeProxyOptions' }
const streams = ['stdin', 'stdout', 'stderr', 'tty']

export function connectOptions({ kind, info }: Call): AnyObject {
  const { query, subresource } = info
  const options = { kind: kinds[subresource] ?? proxied[kind.plural] ?? '', apiVersion: 'v1' } as AnyObject
  if (subresource === 'portforward') return withList(options, 'ports', query.all('ports').flatMap((text) => text.split(',')).map(Number))
  if (subresource === 'proxy') return info.rest === '' ? options : { ...options, path: `/${info.rest}` }
  for (const stream of streams) if (query.flag(stream)) options[stream] = true
  const container = query.get('container') ?? ''
  if (container !== '') options['container'] = container
  return subresource === 'exec' ? { ...options, command: query.all('command') } : options
}

function withList(options: AnyObject, name: string, list: readonly unknown[]): AnyObject {
  return list.length === 0 ? options : { ...options, [name]: list }
}
