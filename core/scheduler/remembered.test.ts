import { describe, expect, it } from 'vitest'
import type { Pod, PodSpec } from '../api/schema/types.ts'
import { seededRandom } from '../lib/random.ts'
import { decide } from './decide.ts'
import { fakeEnv } from './env.fake.ts'
import { defaultProfile } from './plugins.ts'
import { Remembered } from './remembered.ts'
import { World } from './world.ts'

const gigabyte = 1_000_000_000
const pod = (name: string, spec: Partial<PodSpec>): Pod => ({ metadata: { name, namespace: 'd', uid: name }, spec: { containers: [{ name: 'c', image: 'x' }], ...spec } })

describe('Remembered', () => {
  it.each<readonly [string, Partial<PodSpec>, Partial<PodSpec>]>([
    ['image', { containers: [{ name: 'c', image: 'model-a' }] }, { containers: [{ name: 'c', image: 'model-b' }] }],
    ['volume that is an image', { volumes: [{ name: 'm', image: { reference: 'model-a' } }] }, { volumes: [{ name: 'm', image: { reference: 'model-b' } }] }],
    ['selector', { nodeSelector: { is: 'a' } }, { nodeSelector: { is: 'b' } }],
    ['toleration', { tolerations: [{ key: 'of', value: 'a' }] }, { tolerations: [{ key: 'of', value: 'b' }] }],
  ])('what is said of a pod is not taken for one with another %s', (_, first, second) => {
    const [world, remembered] = [new World(), new Remembered()]
    for (const name of ['a', 'b']) {
      const images = [{ names: [`model-${name}:latest`], sizeBytes: gigabyte }]
      world.setNode({ metadata: { name, labels: { is: name } }, spec: { taints: [{ key: 'of', value: name, effect: 'PreferNoSchedule' }] }, status: { allocatable: { cpu: '4', memory: '4Gi', pods: '9' }, images } })
    }
    const profile = defaultProfile(fakeEnv())
    const where = [pod('p', first), pod('q', second)].map((each) => decide(each, world, profile, { random: seededRandom(1), start: 0, looked: () => {}, remembered }))
    expect(where).toEqual([{ fits: true, nodeName: 'a' }, { fits: true, nodeName: 'b' }])
  })
})
