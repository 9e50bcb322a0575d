/** A container's environment: order of sources, references, links, and upstream's words for what is missing. */
import { describe, expect, it } from 'vitest'
import type { Container, Pod, Service } from '../../core/api/schema/types.ts'
import { environmentOf, expand } from './env.ts'

const pod: Pod = { metadata: { name: 'p', namespace: 'default', uid: 'u', labels: { app: 'x' } }, spec: { containers: [], nodeName: 'n' } }
const service = (namespace: string, name: string, ip: string): Service => ({ metadata: { namespace, name }, spec: { clusterIP: ip, ports: [{ name: 'http', port: 80, protocol: 'TCP' }] } })
const services = [service('default', 'kubernetes', '10.43.0.1'), service('default', 'my-db', '10.43.0.9'), service('other', 'far', '10.43.0.8'), service('default', 'none', 'None')]
const env = (container: Partial<Container>, on: Pod = pod): Promise<ReadonlyMap<string, string>> =>
  environmentOf({
    pod: on,
    container: { name: 'c', ...container },
    services,
    fields: { hostIPs: ['192.0.2.1'], podIPs: ['10.42.0.2'], allocatable: { cpu: '4', memory: '8Gi' } },
    objects: {
      configMap: async (name) => (name === 'cm' ? { metadata: {}, data: { k: 'v', A: 'from-cm' } } : undefined),
      secret: async (name) => (name === 'sec' ? { metadata: {}, data: { pw: Buffer.from('hunter2').toString('base64') } } : undefined),
    },
  })

describe('environmentOf()', () => {
  it('lets env win over envFrom, and expands references to what came before', async () => {
    const got = await env({ envFrom: [{ prefix: 'P_', configMapRef: { name: 'cm' } }, { configMapRef: { name: 'cm' } }], env: [{ name: 'A', value: 'own' }, { name: 'B', value: '$(A)-$(P_k)-$$(A)-$(later)-$(MY_DB_SERVICE_HOST)' }] })
    expect([got.get('A'), got.get('k'), got.get('B')]).toEqual(['own', 'v', 'own-v-$(A)-$(later)-10.43.0.9'])
  })
  it('reads fields, resources, keys and secrets', async () => {
    const got = await env({
      resources: { limits: { cpu: '1500m' } },
      env: [
        { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
        { name: 'APP', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
        { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
        { name: 'MEM', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } } },
        { name: 'PW', valueFrom: { secretKeyRef: { name: 'sec', key: 'pw' } } },
        { name: 'MAYBE', valueFrom: { configMapKeyRef: { name: 'nope', key: 'x', optional: true } } },
      ],
    })
    expect(['IP', 'APP', 'CPU', 'MEM', 'PW', 'MAYBE'].map((name) => got.get(name))).toEqual(['10.42.0.2', 'x', '2', '8192', 'hunter2', undefined])
  })
  it('links services of the namespace, and the API always', async () => {
    const linked = await env({})
    expect(linked.get('MY_DB_PORT_80_TCP')).toBe('tcp://10.43.0.9:80')
    expect(linked.get('MY_DB_SERVICE_PORT_HTTP')).toBe('80')
    expect([linked.has('FAR_SERVICE_HOST'), linked.has('NONE_SERVICE_HOST')]).toEqual([false, false])
    const alone = await env({}, { ...pod, spec: { containers: [], enableServiceLinks: false } })
    expect([alone.has('MY_DB_SERVICE_HOST'), alone.get('KUBERNETES_SERVICE_HOST')]).toEqual([false, '10.43.0.1'])
  })
  it.each([
    ['configmap "x" not found', { configMapKeyRef: { name: 'x', key: 'k' } }],
    ['secret "x" not found', { secretKeyRef: { name: 'x', key: 'k' } }],
    ["couldn't find key z in ConfigMap default/cm", { configMapKeyRef: { name: 'cm', key: 'z' } }],
    ["couldn't find key z in Secret default/sec", { secretKeyRef: { name: 'sec', key: 'z' } }],
  ])('says %s', async (message, valueFrom) => {
    await expect(env({ env: [{ name: 'A', valueFrom }] })).rejects.toThrow(message)
  })
})

describe('expand()', () => {
  it.each([['$(A)', 'a'], ['$$(A)', '$(A)'], ['$(', '$('], ['$(B)', '$(B)'], ['x$y', 'x$y'], ['$$$$', '$$'], ['$(A)$(A)', 'aa']])('%s is %s', (text, want) => {
    expect(expand(text, (name) => (name === 'A' ? 'a' : undefined))).toBe(want)
  })
})
