/** The order in which a pod's control group and containers are resized, and when a container must be started anew. */
import { describe, expect, it } from 'vitest'
import type { Container, Pod, ResourceRequirements } from '../../../core/api/schema/types.ts'
import type { ContainerResources, RuntimeContainer } from '../../host/runtime.ts'
import { containerResources, podResources } from '../resources.ts'
import { containersOf } from '../spec.ts'
import { loweredMemory, resizeRestarts, resizeSteps, type RunningContainer, type Step } from './steps.ts'

const mebi = 2 ** 20
const both = (cpu: string, memory: string): ResourceRequirements => ({ requests: { cpu, memory }, limits: { cpu, memory } })
const podOf = (...containers: Partial<Container>[]): Pod => ({ metadata: { uid: 'u' }, spec: { containers: containers.map((c, i) => ({ name: `c${i + 1}`, ...c })) } })

/** What runs of `before`, seen by the containers that `after` has. */
function running(before: Pod, after: Pod): RunningContainer[] {
  return containersOf(after).map((spec, i) => {
    const was = containersOf(before)[i]?.container ?? spec.container
    const target = { id: spec.container.name, state: 'running' } as RuntimeContainer
    return { target, spec, have: containerResources(was, before), memoryRequest: was.resources?.requests?.['memory'] }
  })
}

const show = (r: ContainerResources): string => `${r.cpuQuotaUs / 100}m ${r.memoryBytes / mebi}Mi`
const words = (step: Step): string => ('group' in step ? `pod ${Object.entries(step.group).map(([name, n]) => (name === 'memoryBytes' ? `${n / mebi}Mi` : `${name}=${n}`)).join(' ')}` : `${step.container.target.id} ${show(step.resources)}`)
const plan = (before: Pod, after: Pod): string[] => resizeSteps(after, running(before, after), podResources(before)).map(words)

describe('resizeSteps()', () => {
  const pod = podOf({ resources: both('100m', '100Mi') }, { resources: both('200m', '200Mi') }, { resources: both('300m', '300Mi') })

  it('does nothing where nothing differs', () => expect(plan(pod, pod)).toEqual([]))

  it('takes before it gives, inside a group that shrinks last', () => {
    const after = podOf({ resources: both('200m', '200Mi') }, { resources: both('100m', '100Mi') }, { resources: both('200m', '200Mi') })
    expect(plan(pod, after)).toEqual([
      'c2 200m 100Mi', 'c3 300m 200Mi', 'c1 100m 200Mi', 'pod 500Mi',
      'c2 100m 100Mi', 'c3 200m 200Mi', 'c1 200m 200Mi', 'pod cpuShares=512', 'pod cpuQuotaUs=50000 cpuPeriodUs=100000',
    ])
  })

  it('lets the group grow first, its limit before its share', () => {
    const after = podOf({ resources: both('200m', '200Mi') }, { resources: both('200m', '200Mi') }, { resources: both('300m', '300Mi') })
    expect(plan(pod, after)).toEqual(['pod 700Mi', 'c1 100m 200Mi', 'pod cpuQuotaUs=70000 cpuPeriodUs=100000', 'pod cpuShares=716', 'c1 200m 200Mi'])
  })

  it('takes no limit away', () => {
    const after = podOf({ resources: both('100m', '100Mi') }, { resources: both('200m', '200Mi') }, { resources: { requests: { cpu: '300m', memory: '300Mi' } } })
    expect(plan(pod, after)).toEqual([])
  })

  it('gives containers without a limit the pod\'s', () => {
    const at = (cpu: string): Pod => ({ metadata: { uid: 'u' }, spec: { resources: both(cpu, '100Mi'), containers: [{ name: 'c1', resources: { requests: { cpu: '50m' } } }] } })
    expect(plan(at('100m'), at('200m'))).toEqual(['pod cpuQuotaUs=20000 cpuPeriodUs=100000', 'pod cpuShares=204', 'c1 200m 100Mi'])
  })

  it('knows which memory limits it lowers', () => {
    const after = podOf({ resources: both('100m', '50Mi') }, { resources: both('200m', '200Mi') }, { resources: both('300m', '300Mi') })
    const group = podResources(pod)
    const { podBytes, containers } = loweredMemory(resizeSteps(after, running(pod, after), group), group)
    expect([podBytes, containers.map((c) => [c.container.target.id, c.bytes])]).toEqual([550 * mebi, [['c1', 50 * mebi]]])
  })
})

describe('resizeRestarts()', () => {
  const policy = (cpu: string, memory: string) => [{ resourceName: 'cpu', restartPolicy: cpu }, { resourceName: 'memory', restartPolicy: memory }]
  const restarts = (resizePolicy: Container['resizePolicy'], after: ResourceRequirements): boolean => {
    const more = resizePolicy === undefined ? {} : { resizePolicy }
    const next = podOf({ ...more, resources: after })
    return resizeRestarts(next, running(podOf({ ...more, resources: both('100m', '100Mi') }), next)[0] as RunningContainer)
  }
  it.each([
    ['no policy', undefined, both('200m', '200Mi'), false],
    ['NotRequired', policy('NotRequired', 'NotRequired'), both('200m', '200Mi'), false],
    ['for cpu, which changes', policy('RestartContainer', 'NotRequired'), both('200m', '100Mi'), true],
    ['for cpu, which does not', policy('RestartContainer', 'NotRequired'), both('100m', '200Mi'), false],
    ['for memory, of which only the request changes', policy('NotRequired', 'RestartContainer'), { ...both('100m', '100Mi'), requests: { cpu: '100m', memory: '50Mi' } }, true],
    ['for memory, which does not', policy('NotRequired', 'RestartContainer'), both('200m', '100Mi'), false],
  ])('%s', (_name, resizePolicy, after, want) => expect(restarts(resizePolicy, after)).toBe(want))
})
