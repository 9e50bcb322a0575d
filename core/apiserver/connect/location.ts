/**
 * Where a connection goes: the kubelet of a pod's node, a pod's or a service's address, a node's port; with upstream's
 * checks and sentences (k8s.io/kubernetes/pkg/registry/core/{pod,node,service}). Nothing is dialled here.
 */
import { isIP } from 'node:net'
import {
  ApiError,
  badRequest,
  genericNotFound,
  invalid,
  isApiError,
  notFound,
  serviceUnavailable,
} from '../../api/errors.ts'
import { forbiddenField, invalidValue, notSupported, path, type FieldError } from '../../api/field.ts'
import type { Kind } from '../../api/kind.ts'
import type { Endpoints, Node, Pod, Service } from '../../api/schema/types.ts'
import type { ApiServerDeps, Call, KubeletClient } from '../deps.ts'
import type { Query } from '../request.ts'
import { integer } from '../verbs/options.ts'

export interface Location {
  readonly host: string
  readonly port: number
  /** Without: plain HTTP. `client` is what kubelets are shown; without it any certificate will do (a pod's or a service's). */
  readonly tls?: { readonly client?: KubeletClient }
  /** Path and query. */
  readonly path: string
}

const kubeletPortDefault = 10_250

/** undefined: there is nothing to say (logs of a pod that has no node yet). */
export async function locate(deps: ApiServerDeps, call: Call): Promise<Location | undefined> {
  const { plural } = call.kind
  const { subresource } = call.info
  if (plural === 'pods' && subresource === 'proxy') return await podProxy(deps, call)
  if (plural === 'services' && subresource === 'proxy') return await serviceProxy(deps, call)
  if (plural === 'nodes' && subresource === 'proxy') return await nodeProxy(deps, call)
  if (plural === 'pods') return await kubeletLocation(deps, call)
  throw genericNotFound()
}

async function read<T>(
  deps: ApiServerDeps,
  call: Call,
  plural: string,
  key: { readonly namespace: string; readonly name: string },
): Promise<Readonly<T>> {
  const kind = deps.registry.kind('', 'v1', plural) as Kind
  return (await deps.registry.get(call.ctx, kind, key)).object as unknown as Readonly<T>
}

async function kubeletLocation(deps: ApiServerDeps, call: Call): Promise<Location | undefined> {
  const { query, name, namespace, subresource } = call.info
  const log = subresource === 'log' ? logQuery(call) : undefined
  const pod = await read<Pod>(deps, call, 'pods', { namespace, name })
  const container = subresource === 'portforward' ? '' : containerOf(pod, query.get('container') ?? '')
  const node = pod.spec?.nodeName ?? ''
  if (node === '') {
    if (subresource === 'log') return undefined
    throw badRequest(`pod ${name} does not have a host assigned`)
  }
  const kubelet = await kubeletOf(deps, call, node)
  if (subresource === 'portforward')
    return { ...kubelet, path: withQuery(`/portForward/${namespace}/${name}`, portQuery(query)) }
  if (log !== undefined) return { ...kubelet, path: withQuery(`/containerLogs/${namespace}/${name}/${container}`, log) }
  return {
    ...kubelet,
    path: withQuery(`/${subresource}/${namespace}/${name}/${container}`, streamQuery(query, subresource)),
  }
}

/** The named container, or the only one there is. Throws 400. */
export function containerOf(pod: Readonly<Pod>, asked: string): string {
  const { containers = [], initContainers = [], ephemeralContainers = [] } = pod.spec ?? {}
  const name = pod.metadata.name ?? ''
  const names = [...initContainers, ...containers, ...ephemeralContainers].map((container) => container.name)
  if (asked !== '') {
    if (!names.includes(asked)) throw badRequest(`container ${asked} is not valid for pod ${name}`)
    return asked
  }
  const [only] = containers
  if (containers.length === 1 && only !== undefined) return only.name
  if (containers.length === 0) throw badRequest(`a container name must be specified for pod ${name}`)
  throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${names.join(' ')}]`)
}

/** Address by which the API server reaches a node's kubelet, and what it shows there. */
async function kubeletOf(deps: ApiServerDeps, call: Call, name: string): Promise<Omit<Location, 'path'>> {
  const node = await read<Node>(deps, call, 'nodes', { namespace: '', name }).catch((error: unknown) => {
    // Upstream speaks of the resource that was asked for.
    throw isApiError(error, 'NotFound') ? notFound({ group: '', resource: call.kind.plural }, name) : error
  })
  const client = deps.kubelet?.()
  if (client === undefined) throw serviceUnavailable('the API server has no credentials for kubelets')
  const port = node.status?.daemonEndpoints?.kubeletEndpoint?.Port ?? 0
  return { host: addressOf(node), port: port === 0 ? kubeletPortDefault : port, tls: { client } }
}

/** An address is taken before a name: names of nodes need not resolve. */
const addressTypes = ['InternalIP', 'ExternalIP', 'InternalDNS', 'ExternalDNS', 'Hostname']

function addressOf(node: Readonly<Node>): string {
  const addresses = node.status?.addresses ?? []
  for (const type of addressTypes) {
    const found = addresses.find((address) => address.type === type)
    if (found !== undefined) return found.address
  }
  throw new ApiError({ code: 500, reason: '', message: `no preferred addresses found; known addresses: []` })
}

function logQuery(call: Call): URLSearchParams {
  const { query, name } = call.info
  const out = new URLSearchParams()
  const errors: FieldError[] = []
  for (const flag of ['follow', 'previous', 'timestamps']) if (query.flag(flag)) out.set(flag, 'true')
  const number = (key: string, min: number, why: string): void => {
    const value = integer(query, key)
    if (value === undefined) return
    if (value < min) errors.push(invalidValue(path(key), value, why))
    out.set(key, String(value))
  }
  number('tailLines', 0, 'must be greater than or equal to 0')
  number('limitBytes', 1, 'must be greater than 0')
  const since = query.get('sinceTime')
  if (since !== undefined && query.get('sinceSeconds') !== undefined) {
    errors.push(forbiddenField(path(''), 'at most one of `sinceTime` or `sinceSeconds` may be specified'))
  } else number('sinceSeconds', 1, 'must be greater than 0')
  if (since !== undefined && since !== '') out.set('sinceTime', since)
  const stream = query.get('stream') ?? 'All'
  if (!['All', 'Stdout', 'Stderr'].includes(stream))
    errors.push(notSupported(path('stream'), stream, ['All', 'Stdout', 'Stderr']))
  if (stream !== 'All' && query.get('tailLines') !== undefined) {
    errors.push(forbiddenField(path(''), '`tailLines` and specific `stream` are mutually exclusive for now'))
  }
  out.set('stream', stream)
  if (errors.length > 0) throw invalid({ group: '', kind: 'PodLogOptions' }, name, errors)
  return out
}

/** The API's names of the streams, and the kubelet's. */
const streamNames = { stdin: 'input', stdout: 'output', stderr: 'error', tty: 'tty' } as const

function streamQuery(query: Query, subresource: string): URLSearchParams {
  const out = new URLSearchParams()
  // What attach takes when it is told nothing.
  const silent = subresource === 'attach' && Object.keys(streamNames).every((name) => query.get(name) === undefined)
  for (const [name, kubelets] of Object.entries(streamNames)) {
    if (query.flag(name) || (silent && (name === 'stdout' || name === 'stderr'))) out.set(kubelets, '1')
  }
  if (subresource === 'exec') for (const word of query.all('command')) out.append('command', word)
  return out
}

function portQuery(query: Query): URLSearchParams {
  const ports = query.all('ports')
  return new URLSearchParams(ports.length === 0 ? {} : { port: ports.join(',') })
}

function withQuery(at: string, query: URLSearchParams): string {
  const text = query.toString()
  return text === '' ? at : `${at}?${text}`
}

interface Target {
  readonly scheme: string
  readonly name: string
  readonly port: string
}

/** `name`, `name:port` or `scheme:name:port`. */
function split(call: Call, what: string): Target {
  const parts = call.info.name.split(':')
  const refuse = (): ApiError => badRequest(`invalid ${what} request ${JSON.stringify(call.info.name)}`)
  const [scheme = '', name = '', port = ''] = parts.length === 3 ? parts : ['', ...parts]
  if (parts.length > 3 || name === '' || !['', 'http', 'https'].includes(scheme)) throw refuse()
  return { scheme, name, port }
}

function forwarded(call: Call): string {
  const rest = `/${call.info.rest}`
  return call.info.query.raw === '' ? rest : `${rest}?${call.info.query.raw}`
}

function direct(call: Call, scheme: string, host: string, port: number): Location {
  return { host, port, path: forwarded(call), ...(scheme === 'https' ? { tls: {} } : {}) }
}

async function podProxy(deps: ApiServerDeps, call: Call): Promise<Location> {
  const { scheme, name, port } = split(call, 'pod')
  const pod = await read<Pod>(deps, call, 'pods', { namespace: call.info.namespace, name })
  const first = pod.spec?.containers.find((container) => (container.ports ?? []).length > 0)?.ports?.[0]?.containerPort
  const address = pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP ?? ''
  if (!isProxyable(address)) throw badRequest('address not allowed')
  return direct(call, scheme, address, port === '' ? (first ?? (scheme === 'https' ? 443 : 80)) : Number(port))
}

async function nodeProxy(deps: ApiServerDeps, call: Call): Promise<Location> {
  const { scheme, name, port } = split(call, 'node')
  const kubelet = await kubeletOf(deps, call, name)
  if (port === '' || Number(port) === kubelet.port) return { ...kubelet, path: forwarded(call) }
  if (!isProxyable(kubelet.host)) throw badRequest('address not allowed')
  return direct(call, scheme, kubelet.host, Number(port))
}

async function serviceProxy(deps: ApiServerDeps, call: Call): Promise<Location> {
  const { scheme, name, port } = split(call, 'service')
  const key = { namespace: call.info.namespace, name }
  let wanted = port
  if (/^\d+$/.test(port)) {
    const service = await read<Service>(deps, call, 'services', key)
    const declared = service.spec?.ports?.find((known) => known.port === Number(port))
    if (declared === undefined)
      throw serviceUnavailable(`no service port ${port} found for service ${JSON.stringify(name)}`)
    wanted = declared.name ?? ''
  }
  const endpoints = await endpointsOf(deps, call, key)
  const subsets = endpoints.subsets ?? []
  if (subsets.length === 0) throw serviceUnavailable(`no endpoints available for service ${JSON.stringify(name)}`)
  const choices = subsets.flatMap((subset) => {
    const target = subset.ports?.find((known) => (known.name ?? '') === wanted)
    return target === undefined
      ? []
      : (subset.addresses ?? [])
          .filter((a) => a.targetRef?.kind === 'Pod' && isProxyable(a.ip))
          .map((a) => ({ host: a.ip, port: target.port }))
  })
  const choice = choices[deps.random.int(choices.length)]
  if (choice === undefined)
    throw serviceUnavailable(`no endpoints available for service ${JSON.stringify(call.info.name)}`)
  return direct(call, scheme, choice.host, choice.port)
}

/** Upstream speaks of the service when it has no endpoints object. */
async function endpointsOf(
  deps: ApiServerDeps,
  call: Call,
  key: { readonly namespace: string; readonly name: string },
): Promise<Readonly<Endpoints>> {
  await read<Service>(deps, call, 'services', key)
  return await read<Endpoints>(deps, call, 'endpoints', key)
}

/** No loopback, link-local or multicast addresses: the API server must not become a way into its own machine. */
export function isProxyable(address: string): boolean {
  if (isIP(address) === 4) return !/^(0\.|127\.|169\.254\.|22[4-9]\.|23\d\.|255\.255\.255\.255$)/.test(address)
  if (isIP(address) !== 6 || address.includes('%')) return false
  // One address has many spellings; the URL parser knows the shortest.
  const short = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const mapped = /^::(?:ffff:)?([\da-f]{1,4}):([\da-f]{1,4})$/.exec(short)
  if (mapped !== null) {
    const [high, low] = [parseInt(mapped[1] ?? '', 16), parseInt(mapped[2] ?? '', 16)]
    return isProxyable([high >> 8, high & 255, low >> 8, low & 255].join('.'))
  }
  return !/^(::1?$|fe[89ab]|ff)/.test(short)
}
