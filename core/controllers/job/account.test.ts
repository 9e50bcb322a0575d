import { describe, expect, it } from 'vitest'
import type { Job, JobSpec, Pod } from '../../api/schema/types.ts'
import { account, counted, ended } from './account.ts'
import { noFailures } from './backoff.ts'
import { countShared, firstMissing, formatIndexes, hasIndex, mergeIndexes, parseIndexes, withIndexes } from './indexes.ts'
import { trackingFinalizer } from './pods.ts'
import { look } from './sight.ts'
import { completion } from './verdict.ts'

const job = (spec: Partial<JobSpec>, status: Job['status'] = {}): Job => ({ metadata: { name: 'sum', uid: 'job' }, spec: { template: {}, ...spec }, status })
const ofPhase = (phase: string, count: number): Pod[] =>
  Array.from({ length: count }, (_, i) => ({ metadata: { name: `${phase}-${i}`, uid: `${phase}-${i}`, finalizers: [trackingFinalizer] }, status: { phase } }))

describe('account()', () => {
  it('writes down 500 pods a turn at most, and is not over before the last', () => {
    let pods = ofPhase('Succeeded', 1_200)
    let status: Job['status'] = {}
    const turns: number[] = []
    for (;;) {
      const sight = look(job({ completions: 1_200, parallelism: 1_200 }, status), pods, noFailures, 0)
      const verdict = completion(sight, 0, 0)
      const plan = account(sight, verdict, status)
      expect(plan.status.uncountedTerminatedPods?.succeeded?.length).toBeLessThanOrEqual(500)
      turns.push(plan.release.length)
      const gone = new Set(plan.release.map((pod) => pod.metadata.uid))
      pods = pods.filter((pod) => !gone.has(pod.metadata.uid))
      status = counted(plan.status, new Set(pods.map((pod) => pod.metadata.uid ?? '')))
      if (!plan.more && verdict !== undefined) break
    }
    expect([turns, status.succeeded]).toEqual([[500, 500, 200], 1_200])
  })

  it('a pod whose finalizer could not be removed is counted later, and only then is the Job over', () => {
    const [stays] = ofPhase('Failed', 1)
    const pods = [stays as Pod, ...ofPhase('Succeeded', 1)]
    const sight = look(job({ completions: 1, parallelism: 1, backoffLimit: 3 }), pods, noFailures, 0)
    const verdict = completion(sight, 0, 0)
    if (verdict === undefined) throw new Error('not complete')
    const half = counted(account(sight, verdict, {}).status, new Set(['Failed-0']))
    expect([half.succeeded, half.failed, half.uncountedTerminatedPods]).toEqual([1, 0, { succeeded: [], failed: ['Failed-0'] }])
    expect(ended(half, verdict, 0)).toBeUndefined()
    const whole = counted(half, new Set())
    expect([whole.succeeded, whole.failed, ended(whole, verdict, 0)?.end.type]).toEqual([1, 1, 'Complete'])
  })
})

describe('indexes', () => {
  it.each([
    ['', 9, ''], ['0-2,4,5,7', 9, '0-2,4,5,7'], ['1,2,3', 9, '1-3'], ['0-8', 4, '0-3'], ['2,9', 5, '2'], ['x,1,2-y,3', 9, '1,3'],
  ])('%j below %d is %j', (text, completions, expected) => {
    expect(formatIndexes(parseIndexes(text, completions))).toBe(expected)
  })

  it('are united, found, shared and completed', () => {
    const some = parseIndexes('0,2-4,9', 20)
    expect(formatIndexes(withIndexes(some, [5, 1, 12]))).toBe('0-5,9,12')
    expect(formatIndexes(mergeIndexes(some, parseIndexes('3-10,19', 20)))).toBe('0,2-10,19')
    expect([0, 1, 2, 4, 5, 9, 10].filter((index) => hasIndex(some, index))).toEqual([0, 2, 4, 9])
    expect(countShared(some, parseIndexes('1-3,9-12', 20))).toBe(3)
    expect(firstMissing(some, 4, 20)).toEqual([1, 5, 6, 7])
    expect(firstMissing(some, 9, 8)).toEqual([1, 5, 6, 7])
  })
})
