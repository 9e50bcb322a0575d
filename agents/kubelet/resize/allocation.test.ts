/** A pod as it is run, and who is resized first. */
import { describe, expect, it } from 'vitest'
import type { Pod, ResourceRequirements } from '../../../core/api/schema/types.ts'
import { allocationOf, inLine, isAllocated, withAllocation, type Waiting } from './allocation.ts'

const podOf = (name: string, resources: ResourceRequirements, more: Partial<NonNullable<Pod['spec']>> = {}): Pod => ({ metadata: { name, uid: name }, spec: { containers: [{ name: 'c', resources }], ...more } })

describe('withAllocation()', () => {
  const granted = podOf('p', { requests: { cpu: '1' } }, { initContainers: [{ name: 'i', resources: { requests: { cpu: '1' } } }] })

  it('is the pod itself where it has what it asks for, however that is written', () => {
    const pod = podOf('p', { requests: { cpu: '1000m' } }, { initContainers: [{ name: 'i', resources: { requests: { cpu: '1' } } }] })
    expect(withAllocation(pod, allocationOf(granted))).toBe(pod)
    expect(isAllocated(pod, allocationOf(granted))).toBe(true)
  })

  it('has what was granted, in all containers and as a whole', () => {
    const pod = podOf('p', { requests: { cpu: '2' } }, { resources: { requests: { cpu: '9' } }, initContainers: [{ name: 'i', resources: { requests: { cpu: '3' } } }] })
    const shown = withAllocation(pod, allocationOf(granted)).spec
    expect([shown?.containers[0]?.resources, shown?.initContainers?.[0]?.resources, shown?.resources]).toEqual([{ requests: { cpu: '1' } }, { requests: { cpu: '1' } }, undefined])
  })
})

describe('inLine()', () => {
  const cpu = (n: string): ResourceRequirements => ({ requests: { cpu: n } })
  const all = (n: string): ResourceRequirements => ({ requests: { cpu: n, memory: '1Gi' }, limits: { cpu: n, memory: '1Gi' } })
  const waiting = (name: string, has: ResourceRequirements, wants: ResourceRequirements, { priority = 0, sinceMs }: { readonly priority?: number; readonly sinceMs?: number } = {}): Waiting => ({
    pod: podOf(name, wants, { priority }), allocation: allocationOf(podOf(name, has)), sinceMs,
  })

  it('begins with who asks for less, then priority, QoS class, and who waits longest', () => {
    const line = [
      waiting('new', cpu('1'), cpu('2')),
      waiting('late', cpu('1'), cpu('2'), { sinceMs: 20 }),
      waiting('early', cpu('1'), cpu('2'), { sinceMs: 10 }),
      waiting('guaranteed', all('1'), all('2'), { sinceMs: 30 }),
      waiting('important', cpu('1'), cpu('2'), { priority: 5 }),
      waiting('less', cpu('2'), cpu('1')),
    ]
    expect(inLine(line).map(({ pod }) => pod.metadata.name)).toEqual(['less', 'important', 'guaranteed', 'early', 'late', 'new'])
  })
})
