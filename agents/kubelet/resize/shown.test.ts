/** Resources in statuses: what is in force, in the words of what was granted where both say the same. */
import { describe, expect, it } from 'vitest'
import type { Pod, ResourceRequirements } from '../../../core/api/schema/types.ts'
import type { RuntimeContainer } from '../../host/runtime.ts'
import { containerResources, podResources } from '../resources.ts'
import { shownContainer, shownPod } from './shown.ts'

const c = (resources: ResourceRequirements, state: RuntimeContainer['state'] = 'running'): RuntimeContainer => ({ state, resources: containerResources({ name: 'c', resources }) }) as RuntimeContainer

describe('shownContainer()', () => {
  const before = { requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '1500m', memory: '100M' } }
  const granted = { requests: { cpu: '200m', memory: '128Mi' }, limits: { cpu: '3', memory: '1Gi', 'ephemeral-storage': '1Gi' } }

  it.each([
    ['what runs is shown as it is', c(before), '64Mi', { requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '1500m', memory: '100000000', 'ephemeral-storage': '1Gi' } }],
    ['what has ended, as it was granted', c(before, 'exited'), '64Mi', granted],
    ['what has it, in the words of the grant', c({ requests: { cpu: '0.2', memory: '131072Ki' }, limits: { cpu: '3000m', memory: '1024Mi' } }), '131072Ki', granted],
  ] as const)('%s', (_name, container, memoryRequest, want) => {
    expect(shownContainer({ name: 'c', resources: granted }, container, memoryRequest)).toEqual({ allocatedResources: granted.requests, resources: want })
  })

  it('shows what was granted where the kernel has no such small number', () => {
    const tiny = { requests: { cpu: '1m' }, limits: { cpu: '5m' } }
    expect(shownContainer({ name: 'c', resources: tiny }, c(tiny), undefined).resources).toEqual(tiny)
  })
})

describe('shownPod()', () => {
  const pod: Pod = { metadata: {}, spec: { containers: ['100m', '250m'].map((cpu, i) => ({ name: `c${i}`, resources: { requests: { cpu, memory: '64Mi' }, limits: { cpu, memory: '64Mi' } } })) } }
  const sum = { cpu: '350m', memory: '128Mi' }

  it.each([[true], [false]])('sums up the containers, running: %s', (running) => {
    expect(shownPod(pod, podResources(pod), { running })).toEqual({ allocatedResources: sum, resources: { requests: sum, limits: sum } })
  })
  it('is empty for a pod that asks for nothing', () => {
    const none: Pod = { metadata: {}, spec: { containers: [{ name: 'c' }] } }
    expect(shownPod(none, podResources(none), { running: true })).toEqual({ resources: {} })
  })
})
