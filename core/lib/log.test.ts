import { describe, expect, it } from 'vitest'
import { errorPath } from './log.ts'

describe('errorPath', () => {
  it.each([
    ['start agent', new Error('no such file'), 'start agent: no such file'],
    ['mount volume a: no such file', new Error('no such file'), 'mount volume a: no such file'],
    ['dial', 'refused', 'dial: refused'],
  ])('of %j caused by %s', (message, cause, want) => {
    expect(errorPath(new Error(message, { cause }))).toBe(want)
  })
})
