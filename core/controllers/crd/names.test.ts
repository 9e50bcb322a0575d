import { describe, expect, it } from 'vitest'
import type { CustomResourceDefinition } from '../../api/schema/types.ts'
import { NameRegister } from './names.ts'

const crd = (plural: string, shortNames: string[] = []): CustomResourceDefinition => ({
  metadata: {}, spec: { group: 'g.io', names: { plural, kind: '' }, scope: 'Cluster', versions: [] }, status: { acceptedNames: { plural, kind: '', shortNames } },
})

describe('the register of names', () => {
  it('keeps what is seen and what is coming apart, and tells who waits once both are gone', () => {
    const woken: string[] = []
    const register = new NameRegister((owner) => woken.push(owner))
    register.expect('a', { group: 'g.io', names: { plural: 'as' } })
    expect(register.isTaken('g.io', 'resource', 'as')).toBe(true)
    expect(register.isTaken('g.io', 'kind', 'as')).toBe(false)
    expect(register.isTaken('h.io', 'resource', 'as')).toBe(false)
    register.wait('b', 'g.io', 'resource', 'as')
    register.saw('a', crd('as'))
    register.expect('a', undefined)
    expect(register.isTaken('g.io', 'resource', 'as')).toBe(true)
    expect(woken).toEqual([])
    register.saw('a', undefined)
    expect(register.isTaken('g.io', 'resource', 'as')).toBe(false)
    expect(woken).toEqual(['b'])
  })

  it('frees the names that a definition gives up, and no others', () => {
    const woken: string[] = []
    const register = new NameRegister((owner) => woken.push(owner))
    register.saw('a', crd('as', ['x', 'y']))
    register.wait('b', 'g.io', 'resource', 'x')
    register.wait('c', 'g.io', 'resource', 'y')
    register.saw('a', crd('as', ['y']))
    expect(woken).toEqual(['b'])
  })
})
