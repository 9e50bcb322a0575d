/**
 * The Service `kubernetes` in `default`, by which pods reach the API server: first address of the service range, and the
 * server's own addresses behind it. Upstream's API server keeps it up itself (pkg/controlplane/controller/kubernetesservice).
 */
import { endpoints } from '../api/core/endpoints.ts'
import { services } from '../api/core/service.ts'
import { endpointSlices } from '../api/discovery/endpointslice.ts'
import type { KindRef } from '../api/kind.ts'
import type { KubeObject } from '../api/meta.ts'
import type { Endpoints, EndpointSlice, Service } from '../api/schema/types.ts'
import type { Client } from '../client/client.ts'
import type { Lister } from '../client/lister.ts'
import { addressAt, parseCidr, parseIp } from '../lib/ip.ts'
import type { Ctx } from '../lib/ctx.ts'
import { cloneJson, equalJson } from '../lib/json.ts'
import { type Controller, serverIdentity, type Settings } from './controller.ts'
import { serviceNameLabel } from './endpointslice/plan.ts'

const name = 'kubernetes'
const namespace = 'default'
const port = { name: 'https', protocol: 'TCP' } as const

export const kubernetesService: Controller = {
  name: 'kubernetes-service-controller',
  identity: serverIdentity,
  workers: 1,
  setUp(env) {
    const mine = (object: Readonly<KubeObject>): readonly string[] => (object.metadata.name === name && object.metadata.namespace === namespace ? [name] : [])
    const have = { services: env.watch(services, mine), endpoints: env.watch(endpoints, mine), slices: env.watch(endpointSlices, mine) }
    env.queue.add(name)
    return async (ctx, _key, client) => {
      const want = wanted(env.settings)
      await keep(ctx, client, services, have.services, want.service, (is, should) => equalJson(is.spec?.ports, should.spec?.ports))
      await keep(ctx, client, endpoints, have.endpoints, want.endpoints, (is, should) => equalJson(is.subsets, should.subsets))
      await keep(ctx, client, endpointSlices, have.slices, want.slice, (is, should) => equalJson([is.endpoints, is.ports], [should.endpoints, should.ports]))
    }
  },
}

export function wanted(settings: Settings): { readonly service: Service; readonly endpoints: Endpoints; readonly slice: EndpointSlice } {
  const range = parseCidr(settings.serviceCidr)
  if (range === undefined) throw new Error(`service CIDR ${settings.serviceCidr} is not valid`)
  const metadata = { name, namespace }
  // a server on loopback only is reached by nobody else, and loopback may not stand in endpoints
  const addresses = settings.apiAddresses.filter((ip) => parseIp(ip)?.family === range.family && !isLoopback(ip))
  return {
    service: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { ...metadata, labels: { component: 'apiserver', provider: 'kubernetes' } },
      spec: {
        type: 'ClusterIP',
        clusterIP: addressAt(range, 1),
        ipFamilyPolicy: 'SingleStack',
        sessionAffinity: 'None',
        ports: [{ ...port, port: 443, targetPort: settings.apiPort }],
      },
    },
    endpoints: {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: { ...metadata, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
      subsets: addresses.length === 0 ? [] : [{ addresses: addresses.map((ip) => ({ ip })), ports: [{ ...port, port: settings.apiPort }] }],
    },
    slice: {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...metadata, labels: { [serviceNameLabel]: name } },
      addressType: range.family === 4 ? 'IPv4' : 'IPv6',
      endpoints: addresses.map((ip) => ({ addresses: [ip], conditions: { ready: true } })),
      ports: [{ ...port, port: settings.apiPort }],
    },
  }
}

const isLoopback = (ip: string): boolean => ip.startsWith('127.') || ip === '::1'

async function keep<T extends Service | Endpoints | EndpointSlice>(
  ctx: Ctx, client: Client, kind: KindRef<T>, lister: Lister<T>, want: T, same: (is: Readonly<T>, should: T) => boolean,
): Promise<void> {
  const have = lister.get({ namespace, name })
  if (have === undefined) await client.create(ctx, kind, want)
  else if (!same(have, want)) await client.update(ctx, kind, merged(cloneJson(have) as T, want))
}

/** What stands there with our fields over it: what others set, and what was filled in, stays. */
function merged<T extends Service | Endpoints | EndpointSlice>(have: T, want: T): T {
  const spec = 'spec' in want && 'spec' in have ? { spec: { ...have.spec, ...want.spec } } : {}
  return { ...have, ...want, ...spec, metadata: { ...have.metadata, labels: { ...have.metadata.labels, ...want.metadata.labels } } }
}
