import { describe, expect, it } from 'vitest'
import { testApi } from '../../../test/support/api.ts'
import type { APIService } from '../schema/types.ts'
import { apiServices } from './apiservice.ts'
import { compareVersions, inOrder, localPriority } from './priorities.ts'

const remote = (spec: Partial<NonNullable<APIService['spec']>> = {}, name = 'v1.example.com'): APIService => ({
  metadata: { name },
  spec: { group: 'example.com', version: 'v1', groupPriorityMinimum: 1_000, versionPriority: 15, service: { namespace: 'default', name: 'api' }, ...spec },
})

describe('apiServices', () => {
  it('a remote one gets its port, and is not available yet; a local one is at once', async () => {
    const api = await testApi()
    const made = await api.create(apiServices, remote())
    expect(made.spec?.service?.port).toBe(443)
    expect(made.status).toEqual({})
    const local = await api.create(apiServices, { metadata: { name: 'v2.example.com' }, spec: { group: 'example.com', version: 'v2', groupPriorityMinimum: 1, versionPriority: 1 } })
    expect(local.status?.conditions).toMatchObject([{ type: 'Available', status: 'True', reason: 'Local', message: 'Local APIServices are always available' }])
    await api.stop()
  })

  it.each<[string, APIService]>([
    ['metadata.name: Invalid value: "v2.example.com": must be `spec.version+"."+spec.group`: "v1.example.com"', remote({}, 'v2.example.com')],
    ['metadata.generateName: Invalid value: "v": must be `spec.version+"."+spec.group`: "v1.example.com"', { ...remote(), metadata: { generateName: 'v' } }],
    ['spec.group: Required value: only v1 may have an empty group and it better be legacy kube', remote({ group: '', version: 'v2' }, 'v2.')],
    ['spec.groupPriorityMinimum: Invalid value: 20001: must be positive and less than 20000', remote({ groupPriorityMinimum: 20_001 })],
    ['spec.versionPriority: Invalid value: 0: must be positive and less than 1000', remote({ versionPriority: 0 })],
    ['spec.version: Invalid value: "1": a DNS-1035 label', remote({ version: '1' }, '1.example.com')],
    ['spec.service.namespace: Required value', remote({ service: { name: 'x' } })],
    ['spec.service.port: Invalid value: 70000: port is not valid: must be between 1 and 65535, inclusive', remote({ service: { namespace: 'a', name: 'x', port: 70_000 } })],
    ['spec.insecureSkipTLSVerify: Invalid value: true: may not be true if caBundle is present', remote({ insecureSkipTLSVerify: true, caBundle: btoa('x') })],
  ])('refuses: %s', async (sentence, service) => {
    const api = await testApi()
    const error: unknown = await api.create(apiServices, service).catch((cause: unknown) => cause)
    expect(String((error as Error).message)).toContain(sentence)
    await api.stop()
  })

  it('refuses a bundle for a local one', async () => {
    const api = await testApi()
    const { service: _, ...spec } = remote({ caBundle: btoa('abcd') }).spec ?? { groupPriorityMinimum: 1, versionPriority: 1 }
    const error: unknown = await api.create(apiServices, { metadata: { name: 'v1.example.com' }, spec }).catch((cause: unknown) => cause)
    expect((error as Error).message).toContain('spec.caBundle: Invalid value: "4 bytes": local APIServices may not have a caBundle')
    await api.stop()
  })

  it('a write of the status changes the status alone', async () => {
    const api = await testApi()
    await api.create(apiServices, remote())
    const next = await api.change(apiServices, 'v1.example.com', (mine) => {
      mine.metadata.labels = { a: 'b' }
      mine.spec = { ...mine.spec, groupPriorityMinimum: 5, versionPriority: 5 }
      mine.status = { conditions: [{ type: 'Available', status: 'False', reason: 'ServiceNotFound' }] }
    }, { subresource: 'status' })
    expect(next.metadata.labels).toBeUndefined()
    expect(next.spec?.groupPriorityMinimum).toBe(1_000)
    expect(next.status?.conditions).toMatchObject([{ status: 'False' }])
    expect(apiServices.columns.map((column) => column.value(next, 0)).slice(0, 3)).toEqual(['v1.example.com', 'default/api', 'False (ServiceNotFound)'])
    await api.stop()
  })
})

it('inOrder() puts groups by their highest minimum, versions by priority and then by name', () => {
  const placed = (group: string, version: string, top = localPriority(group, version).group, own = localPriority(group, version).version) => ({ group, version, priority: { group: top, version: own } })
  const order = inOrder([placed('b.io', 'v1'), placed('a.io', 'v1alpha1'), placed('a.io', 'v2'), placed('apps', 'v1'), placed('autoscaling', 'v1'), placed('autoscaling', 'v2'), placed('apiregistration.k8s.io', 'v1'), placed('c.io', 'v1', 18_000, 5)])
  expect(order.map(({ name, versions }) => [name, ...versions.map(({ version }) => version)])).toEqual([
    ['apiregistration.k8s.io', 'v1'], ['c.io', 'v1'], ['apps', 'v1'], ['autoscaling', 'v2', 'v1'], ['a.io', 'v2', 'v1alpha1'], ['b.io', 'v1'],
  ])
  expect(['foo10', 'v1alpha1', 'v1', 'v10beta3', 'v2', 'v11', 'foo1'].sort(compareVersions)).toEqual(['v11', 'v2', 'v1', 'v10beta3', 'v1alpha1', 'foo1', 'foo10'])
})
