/**
 * The conversion webhook of a definition: a ConversionReview goes out, and what comes back is believed only where a
 * webhook has a say: not in who an object is. What went wrong is told in upstream's words
 * (apiextensions-apiserver/pkg/apiserver/conversion/webhook_converter.go). How servers are reached is core/client/remote.ts.
 */
import { parseJson } from '../api/codec/json.ts'
import { ApiError } from '../api/errors.ts'
import { path, type FieldError } from '../api/field.ts'
import type { RemoteConversion } from '../api/kind.ts'
import type { AnyObject } from '../api/meta.ts'
import { validateAnnotations, validateLabels } from '../api/metavalidation.ts'
import type { CustomResourceDefinition } from '../api/schema/types.ts'
import type { Remote, RemoteTarget } from '../client/remote.ts'
import type { Ctx } from '../lib/ctx.ts'
import { cloneJson } from '../lib/json.ts'
import type { Random } from '../lib/random.ts'
import { fromUtf8 } from './exchange.ts'

export interface ConversionMeans {
  readonly remote: Remote
  readonly random: Random
}

const timeoutMs = 30_000
const group = 'apiextensions.k8s.io'
const reviewVersions = ['v1', 'v1beta1']

/** Throws ApiError 500. `ctx` gives clock and log. */
export function webhookConversion(ctx: Ctx, means: ConversionMeans, crd: Readonly<CustomResourceDefinition>): RemoteConversion {
  const webhook = crd.spec.conversion?.webhook
  const version = webhook?.conversionReviewVersions?.find((each) => reviewVersions.includes(each))
  const target = targetOf(webhook?.clientConfig)
  return async (objects, apiVersion, signal) => {
    if (version === undefined) throw failure('no supported conversion review versions')
    const [first] = objects
    if (first === undefined) return []
    const about = gvkOf(first)
    const uid = means.random.uuid()
    const review = { kind: 'ConversionReview', apiVersion: `${group}/${version}`, request: { uid, desiredAPIVersion: apiVersion, objects } }
    let answers: readonly unknown[]
    try {
      const { status, body } = await means.remote.post({ ...ctx, signal }, target, review, { timeoutMs, query: { timeout: `${timeoutMs / 1_000}s` } })
      if (status < 200 || status > 299) throw new Error(statusText(status, fromUtf8(body)))
      answers = convertedIn(parse(fromUtf8(body)), version, uid)
    } catch (error) {
      throw failure(`conversion webhook for ${about} failed: ${error instanceof Error ? error.message : String(error)}`)
    }
    if (answers.length !== objects.length) throw failure(`conversion webhook for ${about} returned ${answers.length} objects, expected ${objects.length}`)
    return objects.map((object, i) => accepted(object, answers[i], { about, apiVersion, many: objects.length > 1, index: i }))
  }
}

function targetOf(config: { readonly url?: string; readonly caBundle?: string; readonly service?: NonNullable<RemoteTarget['service']> } | undefined): RemoteTarget {
  const { url, service, caBundle = '' } = config ?? {}
  return {
    ...(url === undefined ? {} : { url }),
    ...(service === undefined ? {} : { service: { ...service, port: service.port ?? 443 } }),
    ...(caBundle === '' || atob(caBundle).trim() === '' ? {} : { caBundle }),
  }
}

/** An error that is no Status of its own: upstream shows those without a reason. */
function failure(message: string): ApiError {
  return new ApiError({ code: 500, reason: '', message })
}

/** `stable.example.com/v1, Kind=CronTab` */
function gvkOf(object: Readonly<AnyObject>): string {
  return `${object.apiVersion ?? ''}, Kind=${object.kind ?? ''}`
}

/** client-go's sentences for answers that are none. */
function statusText(status: number, body: string): string {
  if (status === 404) return 'the server could not find the requested resource'
  if (status === 403) return body
  if (status === 503) return 'the server is currently unable to handle the request'
  const shown = body.length > 2_048 ? body.slice(0, 2_048) : body
  return `an error on the server (${JSON.stringify(shown === '' ? 'unknown' : shown)}) has prevented the request from succeeding`
}

function parse(text: string): Readonly<Record<string, unknown>> {
  const parsed = parseJson(text)
  if (!parsed.ok) throw new Error(`couldn't get version/kind; json parse error: ${parsed.error}`)
  return isMap(parsed.value) ? parsed.value : {}
}

interface Answer {
  readonly uid?: string
  readonly result?: { readonly status?: string; readonly message?: string }
  readonly convertedObjects?: readonly unknown[] | null
}

/** The first version of reviews was taken on trust. */
function convertedIn(review: Readonly<Record<string, unknown>>, version: string, uid: string): readonly unknown[] {
  if (version === 'v1') {
    const { apiVersion = '', kind = '' } = review as Partial<AnyObject>
    if (apiVersion !== `${group}/v1` || kind !== 'ConversionReview') throw new Error(`expected webhook response of ${group}/v1, Kind=ConversionReview, got ${apiVersion}, Kind=${kind}`)
  }
  const answer = review['response'] as Answer | null | undefined
  if (answer === undefined || answer === null) throw new Error('no response provided')
  if (version === 'v1' && answer.uid !== uid) throw new Error(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(answer.uid ?? '')}`)
  const { status = '', message = '' } = answer.result ?? {}
  if (status !== 'Success') throw new Error(message === '' ? `response.result.status was '${status}', not 'Success'` : message)
  return answer.convertedObjects ?? []
}

interface Asked {
  readonly about: string
  readonly apiVersion: string
  readonly many: boolean
  readonly index: number
}

/** The converted object, with the metadata of the original but for labels and annotations. */
function accepted(original: Readonly<AnyObject>, answer: unknown, { about, apiVersion, many, index }: Asked): AnyObject {
  const what = many ? `invalid converted object at index ${index}` : 'invalid object'
  const wrong = (why: string, at = what): ApiError => failure(`conversion webhook for ${about} returned ${at}: ${why}`)
  const placed = many ? what : 'invalid object at index 0'
  const object = (isMap(answer) ? answer : {}) as AnyObject
  if (object.apiVersion !== apiVersion) throw wrong(`invalid groupVersion (expected ${apiVersion}, received ${object.apiVersion ?? ''})`, placed)
  if (object.kind !== original.kind) throw wrong(`invalid kind (expected ${original.kind ?? ''}, received ${object.kind ?? ''})`, placed)
  const sent: unknown = object.metadata
  const meta = isMap(sent) ? (sent as AnyObject['metadata']) : undefined
  for (const [field, said] of [['name', 'name'], ['namespace', 'namespace'], ['uid', 'UID']] as const) {
    const [want, have] = [original.metadata[field] ?? '', meta?.[field] ?? '']
    if (want !== have) throw wrong(`must have the same ${said}: ${want} != ${have}`)
  }
  const restored = restore(original, sent)
  if (typeof restored === 'string') throw wrong(restored, many ? `invalid metadata in object at index ${index}` : 'invalid metadata')
  return { ...object, metadata: restored }
}

/** What is wrong, or the metadata. */
function restore(original: Readonly<AnyObject>, sent: unknown): AnyObject['metadata'] | string {
  if (sent === undefined) return 'missing metadata in converted object'
  if (!isMap(sent)) return `invalid metadata of type ${goType(sent)} in converted object`
  const metadata = cloneJson(original.metadata) as AnyObject['metadata']
  for (const field of ['labels', 'annotations'] as const) {
    const values = sent[field]
    if (values === undefined || values === null) {
      delete metadata[field]
      continue
    }
    if (!isMap(values)) return `invalid metadata.${field} of type ${goType(values)} in converted object`
    for (const [key, value] of Object.entries(values)) {
      if (typeof value !== 'string') return `metadata.${field}[${key}] must be a string, but is ${goType(value)} in converted object`
    }
    const errors = field === 'labels' ? validateLabels(values as Record<string, string>, path('metadata', 'labels')) : validateAnnotations(values as Record<string, string>, path('metadata', 'annotation'))
    if (errors.length > 0) return aggregate(errors)
    metadata[field] = values as Record<string, string>
  }
  return metadata
}

/** Go's way of saying several errors at once. */
function aggregate(errors: readonly FieldError[]): string {
  const texts = [...new Set(errors.map((error) => error.message()))]
  return texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function goType(value: unknown): string {
  if (value === null) return '<nil>'
  if (Array.isArray(value)) return '[]interface {}'
  if (typeof value === 'object') return 'map[string]interface {}'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64'
  return typeof value === 'boolean' ? 'bool' : 'string'
}
