/**
 * Where a Service is, for the server's own calls: the address of a ready endpoint, read from memory, so that no service
 * proxy need run on the server's machine (apiserver/pkg/util/proxy). Only what endpoint slices say is ever answered.
 */
import { endpointSlices } from '../api/discovery/endpointslice.ts'
import { services } from '../api/core/service.ts'
import { notFound, serviceUnavailable } from '../api/errors.ts'
import type { KindRef } from '../api/kind.ts'
import type { Key, KubeObject } from '../api/meta.ts'
import type { EndpointSlice, Service } from '../api/schema/types.ts'
import type { Random } from '../lib/random.ts'
import type { ServiceResolver } from './remote.ts'

/** Reads from memory: the server's own world, or listers. */
export interface ServiceReader {
  get<T extends KubeObject>(kind: KindRef<T>, key: Key): Readonly<T> | undefined
  list<T extends KubeObject>(kind: KindRef<T>, namespace?: string): readonly Readonly<T>[]
}

interface Address {
  readonly host: string
  readonly port: number
}

/** @param self where this server listens: what Service kubernetes of namespace default stands for */
export function serviceResolver(reader: ServiceReader, random: Random, self?: Address): ServiceResolver {
  return {
    resolve(namespace, name, port) {
      if (self !== undefined && namespace === 'default' && name === 'kubernetes' && port === 443) return self
      const service = reader.get(services, { namespace, name })
      if (service === undefined) throw notFound({ group: '', resource: 'service' }, name)
      if (service.spec?.type === 'ExternalName') return { host: service.spec.externalName ?? '', port }
      const found = service.spec?.ports?.find((p) => p.port === port)
      if (found === undefined) throw serviceUnavailable(`no service port ${port} found for service "${name}"`)
      const slices = reader.list(endpointSlices, namespace).filter((slice) => slice.metadata.labels?.['kubernetes.io/service-name'] === name)
      for (const slice of inOrder(slices, service, random)) {
        const address = readyAddress(slice, found.name ?? '', random)
        if (address !== undefined) return address
      }
      throw serviceUnavailable(`no endpoints available for service "${name}"`)
    },
  }
}

/** By chance, those of the Service's first address family before the others. */
function inOrder(slices: readonly Readonly<EndpointSlice>[], service: Readonly<Service>, random: Random): readonly Readonly<EndpointSlice>[] {
  const first = service.spec?.ipFamilies?.[0]
  const rank = (slice: Readonly<EndpointSlice>): number => (first === undefined || slice.addressType === first ? 0 : 1)
  return slices
    .map((slice) => ({ slice, at: rank(slice) + random.fraction() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ slice }) => slice)
}

function readyAddress(slice: Readonly<EndpointSlice>, portName: string, random: Random): Address | undefined {
  const port = slice.ports?.find((p) => (p.name ?? '') === portName && p.port !== undefined && p.port !== null)?.port
  if (port === undefined || port === null) return undefined
  const ready = (slice.endpoints ?? []).filter((endpoint) => endpoint.conditions?.ready !== false && endpoint.addresses.length > 0)
  if (ready.length === 0) return undefined
  const host = ready[random.int(ready.length)]?.addresses[0]
  return host === undefined ? undefined : { host, port }
}
