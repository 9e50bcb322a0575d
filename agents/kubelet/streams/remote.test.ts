import { describe, expect, it } from 'vitest'
import { outcomeOf } from './remote.ts'

const success = JSON.stringify({ metadata: {}, status: 'Success' })
const failure = JSON.stringify({ metadata: {}, status: 'Failure', message: 'command terminated with exit code 3' })

describe('outcomeOf', () => {
  it.each([
    { protocol: 'v5.channel.k8s.io', status: success, want: success },
    { protocol: 'v4.base64.channel.k8s.io', status: failure, want: failure },
    { protocol: 'channel.k8s.io', status: success, want: '' },
    { protocol: '', status: success, want: '' },
    { protocol: 'v3.channel.k8s.io', status: failure, want: 'command terminated with exit code 3' },
  ])('says "$want" over "$protocol"', ({ protocol, status, want }) => {
    expect(outcomeOf(protocol, status)).toBe(want)
  })
})
