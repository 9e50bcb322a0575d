import { describe, expect, it } from 'vitest'
import type { Pod } from '../api/schema/types.ts'
import { reserve } from './binding.ts'
import type { Plugin, Profile, Refusal } from './framework.ts'
import { NodeInfo } from './world.ts'

const pod: Pod = { metadata: { name: 'p' }, spec: { containers: [] } }
const node = new NodeInfo({ metadata: { name: 'n' } })
const refusal: Refusal = { reasons: ['no'], unresolvable: false }

describe('reserve()', () => {
  it.each<readonly [string, () => Refusal | undefined, readonly string[], string]>([
    ['agrees', () => undefined, [], 'kept'],
    ['refuses', () => refusal, ['second', 'first'], 'refused'],
    ['throws', () => { throw new Error('broken') }, ['second', 'first'], 'broken'],
  ])('where the second of three %s', (_, second, given, outcome) => {
    const released: string[] = []
    const plugin = (name: string, keep: () => Refusal | undefined): Plugin => ({ name, reserve: keep, release: () => void released.push(name) })
    const profile: Profile = { schedulerName: 's', plugins: [plugin('first', () => undefined), plugin('second', second), plugin('third', () => undefined)].map((each) => ({ plugin: each, weight: 0 })), preemption: undefined }
    const ask = (): string => {
      try {
        return reserve(pod, node, profile) === undefined ? 'kept' : 'refused'
      } catch (error) {
        return (error as Error).message
      }
    }
    expect([ask(), released]).toEqual([outcome, given])
  })
})
