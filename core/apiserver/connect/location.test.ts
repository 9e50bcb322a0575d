import { expect, it } from 'vitest'
import { isProxyable } from './location.ts'

it.each([
  ['10.42.0.7', true], ['8.8.8.8', true], ['fd00::1', true], ['2001:db8::7f00:1', true], ['::ffff:10.0.0.1', true],
  ['127.0.0.1', false], ['169.254.169.254', false], ['0.0.0.0', false], ['224.0.0.1', false], ['localhost', false], ['', false],
  ['::1', false], ['::', false], ['0:0:0:0:0:0:0:1', false], ['0::0:1', false], ['fe80::1', false], ['fe80::1%eth0', false], ['ff02::1', false],
  ['::ffff:127.0.0.1', false], ['::ffff:7f00:1', false], ['::FFFF:169.254.169.254', false], ['0:0:0:0:0:ffff:7f00:1', false],
])('proxies to %s: %s', (address, want) => {
  expect(isProxyable(address)).toBe(want)
})
