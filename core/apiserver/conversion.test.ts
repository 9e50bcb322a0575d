import { describe, expect, it } from 'vitest'
import { isApiError } from '../api/errors.ts'
import type { AnyObject } from '../api/meta.ts'
import type { CustomResourceDefinition } from '../api/schema/types.ts'
import type { Remote, RemoteTarget } from '../client/remote.ts'
import { virtualClock } from '../lib/clock.ts'
import type { Ctx } from '../lib/ctx.ts'
import { silentLog } from '../lib/log.ts'
import { seededRandom } from '../lib/random.ts'
import { webhookConversion } from './conversion.ts'

interface Review {
  readonly apiVersion: string
  readonly request: { readonly uid: string; readonly desiredAPIVersion: string; readonly objects: readonly AnyObject[] }
}

const ctx: Ctx = { signal: new AbortController().signal, clock: virtualClock(), log: silentLog }
const object = (name: string, more: Partial<AnyObject> = {}): AnyObject =>
  ({ apiVersion: 'stable.example.com/v1', kind: 'CronTab', metadata: { name, namespace: 'default', uid: `u-${name}`, labels: { a: 'b' }, generation: 3 }, spec: { x: 1 }, ...more }) as AnyObject
const converted = ({ request }: Review): AnyObject[] => request.objects.map((each) => ({ ...each, apiVersion: request.desiredAPIVersion }))
const success = (review: Review, convertedObjects: readonly unknown[] = converted(review)): object => ({
  apiVersion: review.apiVersion, kind: 'ConversionReview', response: { uid: review.request.uid, result: { status: 'Success' }, convertedObjects },
})

interface Setting {
  readonly objects?: readonly AnyObject[]
  readonly status?: number
  readonly versions?: string[]
}

async function convert(answer: (review: Review) => object | string, { objects = [object('a')], status = 200, versions = ['v2', 'v1'] }: Setting = {}): Promise<{ readonly made: readonly AnyObject[] | string; readonly review: Review | undefined; readonly target: RemoteTarget | undefined }> {
  const seen: { review?: Review; target?: RemoteTarget } = {}
  const remote: Pick<Remote, 'post'> = {
    post(_ctx, target, body) {
      Object.assign(seen, { review: body, target })
      const said = answer(body as Review)
      return Promise.resolve({ status, headers: {}, body: new TextEncoder().encode(typeof said === 'string' ? said : JSON.stringify(said)) })
    },
  }
  const clientConfig = { service: { namespace: 'n', name: 's', path: '/crdconvert' }, caBundle: btoa(' ') }
  const spec = { conversion: { strategy: 'Webhook', webhook: { clientConfig, conversionReviewVersions: versions } } }
  const ask = webhookConversion(ctx, { remote: remote as Remote, random: seededRandom(1) }, { spec } as unknown as CustomResourceDefinition)
  const made = await ask(objects, 'stable.example.com/v2', ctx.signal).catch((error: unknown) => {
    if (isApiError(error)) return `${error.code} ${error.reason} ${error.message}`
    throw error
  })
  return { made, review: seen.review, target: seen.target }
}

describe('a conversion webhook', () => {
  it('is sent what is to be converted, in the first version of reviews that both know', async () => {
    const { made, review, target } = await convert(success, { objects: [object('a'), object('b')] })
    expect(made).toEqual([object('a', { apiVersion: 'stable.example.com/v2' }), object('b', { apiVersion: 'stable.example.com/v2' })])
    expect(review).toMatchObject({ kind: 'ConversionReview', apiVersion: 'apiextensions.k8s.io/v1', request: { desiredAPIVersion: 'stable.example.com/v2', objects: [object('a'), object('b')] } })
    expect(target).toEqual({ service: { namespace: 'n', name: 's', path: '/crdconvert', port: 443 } })
  })

  it('has a say in labels and annotations, and in no other metadata', async () => {
    const { made } = await convert((review) => success(review, converted(review).map((each) => ({ ...each, metadata: { ...each.metadata, generation: 9, finalizers: ['x/y'], labels: { c: 'd' }, annotations: { e: 'f' } } }))))
    expect(made).toEqual([object('a', { apiVersion: 'stable.example.com/v2', metadata: { name: 'a', namespace: 'default', uid: 'u-a', generation: 3, labels: { c: 'd' }, annotations: { e: 'f' } } } as Partial<AnyObject>)])
  })

  const about = 'conversion webhook for stable.example.com/v1, Kind=CronTab'
  const change = (by: (object: AnyObject) => unknown) => (review: Review): object => success(review, converted(review).map(by))
  const cases: readonly [why: string, answer: (review: Review) => object | string, want: string, setting?: Setting][] = [
    ['a refusal', (review) => ({ apiVersion: review.apiVersion, kind: 'ConversionReview', response: { uid: review.request.uid, result: { status: 'Failure', message: 'no' } } }), `${about} failed: no`],
    ['a refusal without a word', (review) => ({ apiVersion: review.apiVersion, kind: 'ConversionReview', response: { uid: review.request.uid, result: {} } }), `${about} failed: response.result.status was '', not 'Success'`],
    ['another uid', (review) => ({ ...success(review), response: { uid: 'other' } }), `${about} failed: expected response.uid="UID", got "other"`],
    ['no response', (review) => ({ apiVersion: review.apiVersion, kind: 'ConversionReview' }), `${about} failed: no response provided`],
    ['another kind of answer', () => ({ apiVersion: 'v1', kind: 'Pod' }), `${about} failed: expected webhook response of apiextensions.k8s.io/v1, Kind=ConversionReview, got v1, Kind=Pod`],
    ['fewer objects', (review) => success(review, []), `${about} returned 0 objects, expected 1`],
    ['another version', (review) => success(review, [object('a')]), `${about} returned invalid object at index 0: invalid groupVersion (expected stable.example.com/v2, received stable.example.com/v1)`],
    ['another kind', change((each) => ({ ...each, kind: 'X' })), `${about} returned invalid object at index 0: invalid kind (expected CronTab, received X)`],
    ['another name', change((each) => ({ ...each, metadata: { ...each.metadata, name: 'z' } })), `${about} returned invalid object: must have the same name: a != z`],
    ['no metadata', change((each) => ({ ...each, metadata: undefined })), `${about} returned invalid object: must have the same name: a != `],
    ['labels that are none', change((each) => ({ ...each, metadata: { ...each.metadata, labels: { a: 5 } } })), `${about} returned invalid metadata: metadata.labels[a] must be a string, but is int64 in converted object`],
    ['another name in a list', change((each) => ({ ...each, metadata: { ...each.metadata, name: 'a' } })), `${about} returned invalid converted object at index 1: must have the same name: b != a`, { objects: [object('a'), object('b')] }],
    ['an error of HTTP', () => 'oops', `${about} failed: an error on the server ("oops") has prevented the request from succeeding`, { status: 500 }],
    ['no version of reviews that we know', success, 'no supported conversion review versions', { versions: ['v7'] }],
  ]
  it.each(cases)('is not believed: %s', async (_why, answer, want, setting) => {
    const { made, review } = await convert(answer, setting)
    expect(made).toBe(`500  ${want.replace('UID', review?.request.uid ?? '')}`)
  })
})
