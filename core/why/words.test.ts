import { describe, expect, it } from 'vitest'
import { quantityText } from './amounts.ts'
import { endText } from './crash.ts'
import { section } from './finding.ts'
import { imageClause } from './image.ts'
import { refusalText } from './refused.ts'
import { kindNamed } from './subjects.ts'

describe('words', () => {
  it('a section ends where nobody reads on', () => {
    const lines = section('volumes', Array.from({ length: 10_000 }, (_, i) => `pv-${i}: is bound`))[0]?.lines ?? []
    expect([lines.length, lines.at(-1)]).toEqual([101, 'and 9900 more'])
    expect(section('volumes', [])).toEqual([])
  })

  it.each([
    ['web:1: toomanyrequests: You have reached your pull rate limit', 'the registry refuses more pulls for now (rate limit)'],
    ['dial tcp: lookup reg.example.com on 10.0.0.2:53: no such host', 'the name of the registry cannot be resolved'],
    ['tls: failed to verify certificate: x509: certificate signed by unknown authority', 'the certificate of the registry is not trusted'],
    ['dial tcp 10.0.0.9:443: connect: connection refused', 'the registry cannot be reached'],
    ['no matching manifest for linux/arm64 in the manifest list entries', 'the image is not made for this kind of machine'],
    ['Failed to pull image "web:1": something else', 'something else'],
  ])('an image that does not come: %s', (said, cause) => {
    expect(imageClause('web:1', 'ErrImagePull', [said], [])).toBe(`cannot pull the image web:1: ${cause}`)
  })

  it('the name of an image is not taken for what is said about it', () => {
    expect(imageClause('not found/denied:1', 'ErrImagePull', ['not found/denied:1: connection refused'], [])).toBe('cannot pull the image not found/denied:1: the registry cannot be reached')
  })

  it.each([
    ['Error creating: admission webhook "guard.example.com" denied the request: no root', 'the admission webhook guard.example.com forbids the pod: no root'],
    ['Error creating: Internal error occurred: failed calling webhook "guard.example.com": failed to call webhook: connection refused', 'the admission webhook guard.example.com does not answer: failed to call webhook: connection refused'],
    ['pods "web-" is forbidden: no PriorityClass with name high was found', 'the PriorityClass high does not exist'],
    ['pods "web-" is forbidden: failed quota: q: must specify limits.cpu for: app', 'the ResourceQuota q demands that every pod says limits.cpu for: app'],
    ['Error creating: pods "web-" is forbidden: for another reason', 'for another reason'],
  ])('a refusal: %s', (message, cause) => {
    expect(refusalText(message)).toBe(cause)
  })

  it.each([
    [{ exitCode: 0, reason: 'Completed' }, 'exits with code 0'],
    [{ exitCode: 139, reason: 'Error' }, 'is ended by SIGSEGV (exit code 139)'],
    [{ exitCode: 128, reason: 'StartError', message: 'exec: "run":\n no such file' }, 'cannot be started: exec: "run": no such file'],
  ])('an end: %s', (ended, text) => {
    expect(endText(ended, undefined)).toBe(text)
  })

  it('amounts are written as people write them, and are never less than they are', () => {
    expect([quantityText('cpu', 1_500), quantityText('cpu', 2_000), quantityText('memory', 1.5 * 2 ** 30), quantityText('memory', 2 ** 30 + 1), quantityText('memory', 1_000), quantityText('example.com/gpu', 3)])
      .toEqual(['1500m', '2', '1.5Gi', '1025Mi', '1000', '3'])
  })

  it('a kind has many names', () => {
    expect(['deploy', 'Deployment', 'deployments', 'deployments.apps', 'hpa', 'events', 'nothing', 'deployments.batch'].map((name) => kindNamed(name)?.kind)).toEqual(['Deployment', 'Deployment', 'Deployment', 'Deployment', 'HorizontalPodAutoscaler', 'Event', undefined, undefined])
  })
})
