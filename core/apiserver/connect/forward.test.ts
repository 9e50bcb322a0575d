import { expect, it } from 'vitest'
import type { Incoming } from '../exchange.ts'
import { forwardedHeaders } from './forward.ts'

it.each([
  [{ cookie: ['__Host-kubun=secret'] }, undefined],
  [{ cookie: ['a=1; __Host-kubun=secret; b=2'] }, 'a=1; b=2'],
  [{ cookie: ['a=1', ' __Host-kubun=secret', 'b=2'] }, 'a=1; b=2'],
])('shows a pod nothing of who its reader is to us: %j', (sent: Record<string, string[]>, cookie) => {
  const all: Record<string, string[]> = { ...sent, authorization: ['Bearer t'], 'impersonate-user': ['x'], accept: ['*/*'] }
  const request = { header: (name: string) => all[name]?.join(', '), headers: (name: string) => all[name] ?? [], headerNames: () => Object.keys(all), peer: 'p', url: '/u' }
  const got = forwardedHeaders(request as unknown as Incoming)
  expect([got['cookie'], got['authorization'], got['impersonate-user'], got['accept']]).toEqual([cookie, undefined, undefined, '*/*'])
})
