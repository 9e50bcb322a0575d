/** What profiles made of a configuration do: plugins that are asked here and not there, in which order, with which arguments. */
import { describe, expect, it } from 'vitest'
import type { Node, Pod } from '../../api/schema/types.ts'
import { seededRandom } from '../../lib/random.ts'
import { decide } from '../decide.ts'
import { fakeEnv } from '../env.fake.ts'
import type { Profile } from '../framework.ts'
import { defaultProfile } from '../plugins.ts'
import { Remembered } from '../remembered.ts'
import { World } from '../world.ts'
import { readSchedulerConfiguration } from './configuration.ts'
import { backoffOf, profilesOf } from './profiles.ts'

const configOf = (more: object): ReturnType<typeof readSchedulerConfiguration> => readSchedulerConfiguration(JSON.stringify({ apiVersion: 'kubescheduler.config.k8s.io/v1', kind: 'KubeSchedulerConfiguration', ...more }))

function profileOf(profile: object, more: object = {}): Profile {
  const [make] = profilesOf(configOf({ ...more, profiles: [profile] }))
  if (make === undefined) throw new Error('no profile')
  return make(fakeEnv())
}

const pod = (name: string, more: Partial<Pod['spec'] & object> = {}): Pod => ({
  metadata: { name, namespace: 'default', uid: name }, spec: { schedulerName: 'default-scheduler', containers: [{ name: 'c', resources: { requests: { cpu: '500m' } } }], ...more },
})
const node = (name: string, more: Partial<Node> = {}): Node => ({ metadata: { name }, status: { allocatable: { cpu: '4', memory: '8Gi', pods: '110' } }, ...more })

function takes(profile: Profile, asking: Pod, nodes: readonly Node[], pods: readonly Pod[] = []): string {
  const world = new World()
  for (const each of nodes) world.setNode(each)
  for (const each of pods) world.setPod(each)
  const decision = decide(asking, world, profile, { random: seededRandom(1), start: 0, looked: () => {}, remembered: new Remembered() })
  return decision.fits ? decision.nodeName : decision.message
}

const functionsOf = ({ plugins }: Profile): readonly string[] => plugins.flatMap(({ plugin, weight }) =>
  ['gate', 'before', 'filter', 'score', 'reserve', 'rescue', 'prebind', 'bind'].filter((name) => Object.hasOwn(plugin, name)).map((name) => (name === 'score' ? `${plugin.name} score ${weight}` : `${plugin.name} ${name}`)))

describe('a profile', () => {
  it('of which nothing is said is the default one', () => {
    const made = profileOf({})
    expect(functionsOf(made)).toEqual(functionsOf(defaultProfile(fakeEnv())))
    expect([made.schedulerName, made.preemption, made.preemptsFirst]).toEqual(['default-scheduler', { minCandidateNodesPercentage: 10, minCandidateNodesAbsolute: 100 }, false])
  })

  it('does not ask plugins where they are off, and asks them elsewhere', () => {
    const tainted = node('a', { spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } })
    const made = profileOf({ plugins: { filter: { disabled: [{ name: 'TaintToleration' }] } } })
    expect(takes(profileOf({}), pod('p'), [tainted])).toContain('untolerated taint')
    expect(takes(made, pod('p'), [tainted])).toBe('a')
    expect(functionsOf(made)).toContain('TaintToleration score 3')
    expect(functionsOf(made)).not.toContain('TaintToleration filter')
  })

  it('still prepares what no node is asked about', () => {
    const made = profileOf({ plugins: { filter: { disabled: [{ name: 'NodeAffinity' }] } } })
    const named = (values: readonly string[]): Pod => pod('p', { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [...values] }] }] } } } })
    expect(takes(made, named(['b']), [node('a'), node('b')])).toBe('b')
    expect(takes(made, pod('p', { nodeSelector: { disk: 'fast' } }), [node('a')])).toBe('a')
  })

  it('asks in the order that a point has', () => {
    const made = profileOf({ plugins: { filter: { enabled: [{ name: 'NodeResourcesFit' }, { name: 'NodeUnschedulable' }] } } })
    const nodes = [node('a', { spec: { unschedulable: true }, status: { allocatable: { cpu: '100m', memory: '1Gi', pods: '9' } } })]
    expect(takes(profileOf({}), pod('p'), nodes)).toContain('were unschedulable')
    expect(takes(made, pod('p'), nodes)).toContain('Insufficient cpu')
    expect(functionsOf(made).filter((name) => name.startsWith('NodeResourcesFit'))).toEqual(['NodeResourcesFit score 1', 'NodeResourcesFit filter'])
  })

  it('scores by its arguments and weights', () => {
    const nodes = [node('a'), node('b')]
    const pods = [pod('other', { nodeName: 'a' })]
    const fit = { name: 'NodeResourcesFit', args: { scoringStrategy: { type: 'MostAllocated' } } }
    const off = [{ name: 'NodeResourcesBalancedAllocation' }]
    expect(takes(profileOf({ plugins: { score: { disabled: off } } }), pod('p'), nodes, pods)).toBe('b')
    expect(takes(profileOf({ pluginConfig: [fit], plugins: { score: { disabled: off } } }), pod('p'), nodes, pods)).toBe('a')
  })

  it('evicts nobody, or first', () => {
    expect(profileOf({ plugins: { postFilter: { disabled: [{ name: 'DefaultPreemption' }] } } }).preemption).toBeUndefined()
    expect(profileOf({ plugins: { postFilter: { enabled: [{ name: 'DefaultPreemption' }] } } }).preemptsFirst).toBe(true)
  })

  it('has its own share of nodes, or that of all', () => {
    expect(profileOf({ percentageOfNodesToScore: 20 }, { percentageOfNodesToScore: 70 }).percentageOfNodesToScore).toBe(20)
    expect(profileOf({}, { percentageOfNodesToScore: 70 }).percentageOfNodesToScore).toBe(70)
  })

  it('backs off as all do', () => {
    expect(backoffOf(configOf({ podInitialBackoffSeconds: 2, podMaxBackoffSeconds: 5 }))).toEqual({ firstMs: 2_000, maxMs: 5_000 })
  })
})
