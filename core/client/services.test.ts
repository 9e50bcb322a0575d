import { describe, expect, it } from 'vitest'
import { services } from '../api/core/service.ts'
import { endpointSlices } from '../api/discovery/endpointslice.ts'
import type { KindRef } from '../api/kind.ts'
import type { KubeObject } from '../api/meta.ts'
import { seededRandom } from '../lib/random.ts'
import { serviceResolver, type ServiceReader } from './services.ts'

const all: readonly (readonly [KindRef, KubeObject])[] = [
  [services, { metadata: { namespace: 'ns', name: 'web' }, spec: { ipFamilies: ['IPv4'], ports: [{ name: 'https', port: 443, targetPort: 8443 }, { name: 'other', port: 80 }] } } as KubeObject],
  [services, { metadata: { namespace: 'ns', name: 'idle' }, spec: { ports: [{ port: 443 }] } } as KubeObject],
  [services, { metadata: { namespace: 'ns', name: 'out' }, spec: { type: 'ExternalName', externalName: 'example.org' } } as KubeObject],
  [endpointSlices, slice('web', 'IPv6', [{ addresses: ['fd00::1'] }])],
  [endpointSlices, slice('web', 'IPv4', [
    { addresses: ['10.0.0.1'], conditions: { ready: false } }, { addresses: ['10.0.0.2'], conditions: { ready: true } }, { addresses: ['10.0.0.3'] },
  ])],
  [endpointSlices, slice('idle', 'IPv4', [{ addresses: ['10.0.0.9'], conditions: { ready: false } }])],
]

function slice(service: string, addressType: string, endpoints: object[]): KubeObject {
  return { metadata: { namespace: 'ns', name: `${service}-${addressType}`, labels: { 'kubernetes.io/service-name': service } }, addressType, ports: [{ name: service === 'web' ? 'https' : '', port: 8443 }], endpoints } as KubeObject
}

const reader: ServiceReader = {
  get: <T extends KubeObject>(kind: KindRef<T>, key: { namespace: string; name: string }) => all.find(([k, o]) => k.plural === kind.plural && o.metadata.name === key.name && o.metadata.namespace === key.namespace)?.[1] as T | undefined,
  list: <T extends KubeObject>(kind: KindRef<T>, namespace?: string) => all.filter(([k, o]) => k.plural === kind.plural && o.metadata.namespace === namespace).map(([, o]) => o as T),
}

describe('a Service is found', () => {
  const resolver = serviceResolver(reader, seededRandom(1), { host: '127.0.0.1', port: 6443 })

  it('at its ready endpoints, by turns, in its own address family', () => {
    const seen = new Set(Array.from({ length: 50 }, () => resolver.resolve('ns', 'web', 443)).map(({ host, port }) => `${host}:${port}`))
    expect([...seen].toSorted()).toEqual(['10.0.0.2:8443', '10.0.0.3:8443'])
  })

  it('here, when it is this server', () => {
    expect(resolver.resolve('default', 'kubernetes', 443)).toEqual({ host: '127.0.0.1', port: 6443 })
  })

  it('outside, when it is only a name', () => {
    expect(resolver.resolve('ns', 'out', 443)).toEqual({ host: 'example.org', port: 443 })
  })

  it.each([
    ['gone', 443, 404, 'service "gone" not found'],
    ['web', 444, 503, 'no service port 444 found for service "web"'],
    ['web', 80, 503, 'no endpoints available for service "web"'],
    ['idle', 443, 503, 'no endpoints available for service "idle"'],
  ])('not: %s:%i', (name, port, code, message) => {
    expect(() => resolver.resolve('ns', name, port)).toThrow(expect.objectContaining({ code, message }))
  })
})
