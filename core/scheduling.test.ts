/** A scheduler's configuration as a file, and how its extenders are reached. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { remoteServer, type RemoteServer } from './client/remote.fake.ts'
import { systemClock } from './lib/clock.ts'
import type { Ctx } from './lib/ctx.ts'
import { silentLog } from './lib/log.ts'
import { openScheduling, schedulingOf } from './scheduling.ts'

const ctx: Ctx = { signal: new AbortController().signal, clock: systemClock, log: silentLog }
const textOf = (...extenders: readonly object[]): string => JSON.stringify({ apiVersion: 'kubescheduler.config.k8s.io/v1', kind: 'KubeSchedulerConfiguration', extenders })
let dir: string
let server: RemoteServer

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'kubun-scheduling-'))
  server = await remoteServer(['extender.example.com'], ({ client }) => ({ body: JSON.stringify([{ Host: client ?? 'nobody', Score: 1 }]) }))
})
afterAll(async () => {
  rmSync(dir, { recursive: true })
  await server.close()
})

const written = (name: string, text: string): string => {
  const file = join(dir, name)
  writeFileSync(file, text)
  return file
}

describe("a scheduler's configuration file", () => {
  it('is not needed', async () => {
    const { profiles, extenders } = await openScheduling(undefined)
    expect([profiles.length, extenders]).toEqual([1, undefined])
  })

  it('that is wrong is named, with the field', async () => {
    const file = written('wrong.yaml', textOf({ urlPrefix: 'http://a', prioritizeVerb: 'p' }))
    await expect(openScheduling(file)).rejects.toThrow(`--scheduler-config ${file}: extenders[0].weight: Invalid value: 0: must have a positive weight applied to it`)
    const none = join(dir, 'none.yaml')
    await expect(openScheduling(none)).rejects.toThrow(`--scheduler-config ${none}: ENOENT`)
  })

  it.each([
    [{ urlPrefix: 'a:1' }, 'extenders[0].urlPrefix: Invalid value: "a:1": must be an http or https URL'],
    [{ urlPrefix: 'https://a', tlsConfig: { caFile: '/does/not/exist' } }, 'extenders[0].tlsConfig.caFile: ENOENT'],
    [{ urlPrefix: 'https://a', tlsConfig: { insecure: true, caData: 'eA==' } }, 'extenders[0].tlsConfig: specifying a root certificates file with the insecure flag is not allowed'],
    [{ urlPrefix: 'https://a', tlsConfig: { certData: 'eA==' } }, 'extenders[0].tlsConfig: a certificate and its key belong together'],
  ])('cannot have %j', (extender, message) => {
    expect(() => schedulingOf(textOf(extender))).toThrow(message)
  })

  it('asks those last who may be passed over', () => {
    const { extenders = [] } = schedulingOf(textOf({ urlPrefix: 'http://a', ignorable: true }, { urlPrefix: 'http://b' }))
    expect(extenders.map(({ name }) => name)).toEqual(['http://b', 'http://a'])
  })

  async function hostsOf(extender: object): Promise<readonly string[]> {
    const { extenders: [one] = [] } = schedulingOf(textOf({ urlPrefix: `https://127.0.0.1:${server.port}`, prioritizeVerb: 'p', weight: 1, ...extender }))
    return [...((await one?.prioritize?.(ctx, { metadata: {} }, [])) ?? new Map<string, number>()).keys()]
  }

  it('trusts an authority of its own, for a name of its own, and shows a certificate', async () => {
    const { certificate, key } = server.client
    const tlsConfig = {
      serverName: 'extender.example.com', caFile: written('ca.pem', Buffer.from(server.caBundle, 'base64').toString()),
      certFile: written('client.pem', certificate.pem), keyData: Buffer.from(key.pem).toString('base64'),
    }
    expect(await hostsOf({ tlsConfig })).toEqual(['caller'])
    await expect(hostsOf({ tlsConfig: { caData: server.caBundle } })).rejects.toThrow(/127\.0\.0\.1/)
  })

  it('trusts everybody where it knows no authority and is told to use HTTPS', async () => {
    expect(await hostsOf({ enableHTTPS: true })).toEqual(['nobody'])
    await expect(hostsOf({})).rejects.toThrow(/certificate/)
  })
})
