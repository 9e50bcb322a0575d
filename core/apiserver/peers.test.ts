import type { TLSSocket } from 'node:tls'
import { expect, it } from 'vitest'
import { virtualClock } from '../lib/clock.ts'
import { Peers } from './peers.ts'

function socket(authorized: boolean, shown: object): TLSSocket {
  return { authorized, getPeerCertificate: () => shown } as unknown as TLSSocket
}

const shown = { subject: { CN: 'jane', O: ['a', 'b'] }, fingerprint256: 'AB:CD', valid_to: 'Jan  1 00:01:00 1970 GMT', raw: Buffer.of(1) }
const worthless = { certificate: { commonName: '', organizations: [], fingerprint: '' } }

it('knows a client by its certificate until that ends, however long the connection lives', async () => {
  const clock = virtualClock(0)
  const peers = new Peers('', '', clock)
  const connection = socket(true, shown)
  expect(peers.of(connection, connection)).toEqual({ certificate: { commonName: 'jane', organizations: ['a', 'b'], fingerprint: 'abcd' } })
  await clock.advance(60_000)
  expect(peers.of(connection, connection)).toMatchObject({ certificate: { commonName: 'jane' } })
  await clock.advance(1_000)
  expect(peers.of(connection, connection)).toEqual(worthless)
})

it('takes a certificate that does not hold for nobody\'s, and none for none', () => {
  const peers = new Peers('', '', virtualClock(0))
  const of = (connection: TLSSocket): object => peers.of(connection, connection)
  expect(of(socket(false, shown))).toEqual(worthless)
  expect(of(socket(false, {}))).toEqual({})
  expect(of(socket(true, {}))).toEqual({})
})
