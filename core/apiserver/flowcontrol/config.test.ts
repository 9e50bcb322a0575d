/** The objects of flow control in a cluster: who makes them, and who tells what of them. */
import { afterEach, describe, expect, it } from 'vitest'
import { autoUpdateAnnotation, suggestedLevels } from '../../api/flowcontrol/bootstrap.ts'
import { flowSchemas } from '../../api/flowcontrol/flowschema.ts'
import { priorityLevelConfigurations } from '../../api/flowcontrol/prioritylevelconfiguration.ts'
import { cloneJson } from '../../lib/json.ts'
import type { FlowSchema } from '../../api/schema/types.ts'
import { createMetrics } from '../../lib/metrics.ts'
import { testApi, type TestApi } from '../../../test/support/api.ts'
import { RegistryWorld } from '../world.ts'
import { consumerManager, FlowConfig } from './consumer.ts'
import { FlowControl } from './flowcontrol.ts'
import { ensureFlowConfig } from './producer.ts'

let api: TestApi
afterEach(() => api.stop())

const custom = (level: string): FlowSchema => ({
  metadata: { name: 'mine' },
  spec: { priorityLevelConfiguration: { name: level }, matchingPrecedence: 50, rules: [{ subjects: [{ kind: 'User', user: { name: 'bob' } }], nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }] }] },
})

describe('the objects of a cluster', () => {
  it('are all there, and are left alone when nothing has changed', async () => {
    api = await testApi()
    await ensureFlowConfig(api.ctx, api.client)
    expect((await api.list(flowSchemas)).map((s) => s.metadata.name)).toHaveLength(11)
    expect((await api.list(priorityLevelConfigurations)).map((l) => l.metadata.name)).toHaveLength(8)
    const revision = api.registry.revision()
    await ensureFlowConfig(api.ctx, api.client)
    expect(api.registry.revision()).toBe(revision)
  })

  it('are brought back to what they were, unless somebody has taken them over', async () => {
    api = await testApi()
    await ensureFlowConfig(api.ctx, api.client)
    const shares = async (name: string) => (await api.get(priorityLevelConfigurations, name))?.spec?.limited?.nominalConcurrencyShares
    await api.change(priorityLevelConfigurations, 'system', (mine) => void (mine.spec!.limited!.nominalConcurrencyShares = 1))
    await api.change(priorityLevelConfigurations, 'workload-low', (mine) => {
      mine.spec!.limited!.nominalConcurrencyShares = 2
      mine.metadata.annotations = { [autoUpdateAnnotation]: 'false' }
    })
    await api.change(priorityLevelConfigurations, 'global-default', (mine) => {
      mine.spec!.limited!.nominalConcurrencyShares = 3
      mine.metadata.annotations = {}
    })
    await ensureFlowConfig(api.ctx, api.client)
    expect([await shares('system'), await shares('workload-low'), await shares('global-default')]).toEqual([30, 2, 3])
    expect((await api.get(priorityLevelConfigurations, 'global-default'))?.metadata.annotations).toEqual({ [autoUpdateAnnotation]: 'false' })
  })

  it('go when no version has them any more; those of users stay', async () => {
    api = await testApi()
    const old = cloneJson(suggestedLevels[0])
    await api.create(priorityLevelConfigurations, { ...old, metadata: { ...old?.metadata, name: 'old' } } as never)
    await api.create(priorityLevelConfigurations, { ...old, metadata: { name: 'own' } } as never)
    await ensureFlowConfig(api.ctx, api.client)
    expect(await api.get(priorityLevelConfigurations, 'old')).toBeUndefined()
    expect(await api.get(priorityLevelConfigurations, 'own')).toBeDefined()
  })
})

describe('flow control', () => {
  it('follows them, and says of a schema whether its level is there', async () => {
    api = await testApi()
    await ensureFlowConfig(api.ctx, api.client)
    const world = await RegistryWorld.open(api.ctx, api.registry, [flowSchemas, priorityLevelConfigurations])
    const flow = new FlowControl({ clock: api.clock, metrics: createMetrics() })
    const config = new FlowConfig(flow, world)
    const life = config.run(api.ctx, api.client)
    expect(flow.levels.size).toBe(8)
    await api.create(flowSchemas, custom('later'))
    await api.clock.settle()
    const dangling = async () => (await api.get(flowSchemas, 'mine'))?.status?.conditions?.map(({ status, reason, message }) => [status, reason, message])
    expect(await dangling()).toEqual([['True', 'NotFound', 'This FlowSchema references the PriorityLevelConfiguration object named "later" but there is no such object']])
    expect((await api.get(flowSchemas, 'mine'))?.metadata.managedFields?.find((entry) => entry.subresource === 'status')).toMatchObject({ manager: consumerManager, operation: 'Apply' })
    await api.create(priorityLevelConfigurations, { metadata: { name: 'later' }, spec: { type: 'Limited', limited: { limitResponse: { type: 'Reject' } } } })
    await api.clock.settle()
    expect(await dangling()).toEqual([['False', 'Found', 'This FlowSchema references the PriorityLevelConfiguration object named "later" and it exists']])
    expect(flow.levels.get('later')).toMatchObject({ mode: { type: 'reject' }, quiescing: false })
    await api.client.delete(api.ctx, priorityLevelConfigurations, { namespace: '', name: 'later' })
    await api.clock.settle()
    expect(flow.levels.has('later')).toBe(false)
    await api.stop()
    await life
  })
})
