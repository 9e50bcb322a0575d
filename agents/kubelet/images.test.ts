/** Names of images, pull policies with their words and back-off, and which credentials fit. */
import { describe, expect, it } from 'vitest'
import { virtualClock } from '../../core/lib/clock.ts'
import { silentLog } from '../../core/lib/log.ts'
import type { Secret } from '../../core/api/schema/types.ts'
import { fakeRuntime } from '../host/docker.fake.ts'
import { credentialsFor, imageManager, normalImage, StartError, type ImageRequest } from './images.ts'

describe('normalImage()', () => {
  it.each([['busybox', 'busybox:latest'], ['a/b:1', 'a/b:1'], ['h:5000/a', 'h:5000/a:latest'], [`a@sha256:${'0'.repeat(64)}`, `a@sha256:${'0'.repeat(64)}`], ['BAD', undefined], ['a//b', undefined], ['', undefined], ['a:b:c', undefined]])('%s is %s', (name, want) => {
    expect(normalImage(name)).toBe(want)
  })
})

describe('imageManager()', () => {
  const rig = (registry: string[] = []) => {
    const clock = virtualClock()
    const runtime = fakeRuntime({ clock, registry })
    const events: string[] = []
    const images = imageManager(runtime)
    const ctx = { signal: new AbortController().signal, clock, log: silentLog }
    const ensure = async (image: string, policy: string): Promise<string> => {
      const request: ImageRequest = { pod: { metadata: { uid: 'u' } }, container: { name: 'c', image, imagePullPolicy: policy }, secrets: async () => [], tell: (_type, reason, message) => void events.push(`${reason}: ${message}`) }
      return images.ensure(ctx, request).then((found) => found.id, (error: StartError) => `${error.reason}: ${error.message}`)
    }
    return { clock, events, ensure }
  }
  it('never pulls when it must not', async () => {
    const { ensure } = rig(['x:1'])
    expect(await ensure('x:1', 'Never')).toBe('ErrImageNeverPull: Container image "x:1" is not present with pull policy of Never')
  })
  it('refuses what is no name', async () => {
    expect(await rig().ensure('BAD//x', 'Always')).toMatch(/^InvalidImageName: Failed to apply default image tag "BAD\/\/x"/)
  })
  it('waits longer after each failed pull, and says why the last one failed', async () => {
    const { clock, ensure, events } = rig()
    expect(await ensure('x:1', 'IfNotPresent')).toMatch(/^ErrImagePull: pull access denied for x:1/)
    expect(await ensure('x:1', 'IfNotPresent')).toMatch(/^ImagePullBackOff: Back-off pulling image "x:1": ErrImagePull: pull access denied/)
    await clock.advance(10_000)
    expect(await ensure('x:1', 'IfNotPresent')).toMatch(/^ErrImagePull/)
    await clock.advance(19_000)
    expect(await ensure('x:1', 'IfNotPresent')).toMatch(/^ImagePullBackOff/)
    expect(events.filter((e) => e.startsWith('Pulling')).length).toBe(2)
  })
  it('pulls once, then uses what is there', async () => {
    const { ensure, events } = rig(['x:latest'])
    expect(await ensure('x', 'IfNotPresent')).toBe('sha256:x:latest')
    expect(await ensure('x', 'IfNotPresent')).toBe('sha256:x:latest')
    expect(events.at(-1)).toBe('Pulled: Container image "x" already present on machine and can be accessed by the pod')
  })
})

describe('credentialsFor()', () => {
  const secret: Secret = {
    metadata: {},
    data: { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths: { 'r.example': { username: 'a', password: '1' }, 'r.example/team': { auth: Buffer.from('b:2').toString('base64') }, 'https://index.docker.io/v1/': { username: 'hub', password: '3' } } })).toString('base64') },
  }
  it.each([['r.example/team/x:1', 'b'], ['r.example/x:1', 'a'], ['busybox:latest', 'hub'], ['other.example/x:1', undefined]])('%s is pulled as %s', (ref, user) => {
    expect(credentialsFor(ref, [secret])?.username).toBe(user)
  })
})
