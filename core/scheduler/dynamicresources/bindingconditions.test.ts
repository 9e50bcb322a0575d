/** Devices that have to be made ready: ready when all conditions hold, failed when one says so, late after ten minutes. */
import { expect, it } from 'vitest'
import type { Condition, DeviceRequestAllocationResult, ResourceClaim } from '../../api/schema/types.ts'
import { mustBeMadeReady, readinessOf } from './bindingconditions.ts'

const at = '2026-01-01T00:00:00Z'
const condition = (type: string, status = 'True'): Condition => ({ type, status, reason: 'R', message: 'no "cable"', lastTransitionTime: at })
const result = (device: string, bindingConditions?: string[]): DeviceRequestAllocationResult => ({ request: 'r', driver: 'd', pool: 'p', device, ...(bindingConditions === undefined ? {} : { bindingConditions, bindingFailureConditions: ['broken'] }) })
const claim = (results: DeviceRequestAllocationResult[], said: Record<string, Condition[]> = {}): ResourceClaim => ({
  metadata: { name: 'c' }, spec: {},
  status: { allocation: { allocationTimestamp: at, devices: { results } }, devices: Object.entries(said).map(([device, conditions]) => ({ driver: 'd', pool: 'p', device, conditions })) },
})
const minutes = (count: number): number => Date.parse(at) + count * 60_000

it.each([
  ['nothing to wait for', claim([result('x')]), 1, { is: 'ready' }],
  ['nothing said yet', claim([result('x', ['a'])]), 1, { is: 'waiting' }],
  ['one of two', claim([result('x', ['a', 'b'])], { x: [condition('a')] }), 1, { is: 'waiting' }],
  ['not true', claim([result('x', ['a'])], { x: [condition('a', 'False')] }), 1, { is: 'waiting' }],
  ['all', claim([result('x', ['a', 'b'])], { x: [condition('a'), condition('b')] }), 1, { is: 'ready' }],
  ['one device of two', claim([result('x', ['a']), result('y', ['a'])], { x: [condition('a')] }), 1, { is: 'waiting' }],
  ['failed', claim([result('x', ['a'])], { x: [condition('a'), condition('broken')] }), 1, { is: 'failed', why: 'device binding failed: claim=c, reason=R, message="no \\"cable\\""' }],
  ['late', claim([result('x', ['a'])]), 11, { is: 'late' }],
  ['ready, however late', claim([result('x', ['a'])], { x: [condition('a')] }), 11, { is: 'ready' }],
  ['not allocated', { metadata: { name: 'c' }, spec: {} }, 1, { is: 'waiting' }],
] as const)('%s', (_, of, after, want) => {
  expect(readinessOf(of as ResourceClaim, minutes(after), 600_000)).toEqual(want)
  expect(mustBeMadeReady(of as ResourceClaim)).toBe((of as ResourceClaim).status?.allocation?.devices?.results?.some(({ bindingConditions }) => bindingConditions !== undefined) ?? false)
})
