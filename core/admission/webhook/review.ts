/** What is sent to a webhook and how its answer is read (k8s.io/apiserver/pkg/admission/plugin/webhook/request). */
import { parseJson } from '../../api/codec/json.ts'
import { ApiError, type Status } from '../../api/errors.ts'
import { apiVersionOf, type AnyObject } from '../../api/meta.ts'
import { readYaml } from '../../client/yaml.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { kindOf, namespaceOf, resourceOf, type Match } from '../match.ts'
import type { AdmissionRequest } from '../plugin.ts'

/** Versions of AdmissionReview that are spoken. */
const spoken = ['v1', 'v1beta1']

export interface ReviewInit {
  readonly uid: string
  readonly version: string
  readonly match: Match
  /** In the version of `match`. */
  readonly object: Readonly<AnyObject> | undefined
  readonly oldObject: Readonly<AnyObject> | undefined
}

export interface ReviewAnswer {
  readonly allowed: boolean
  readonly status: Partial<Status> | undefined
  readonly warnings: readonly string[]
  readonly auditAnnotations: Readonly<Record<string, string>>
  /** Base64 of JSON; undefined without one. */
  readonly patch: string | undefined
  readonly patchType: string | undefined
}

/** The first of the webhook's versions that is spoken here. */
export function reviewVersion(accepted: readonly string[]): string | undefined {
  return accepted.find((version) => spoken.includes(version))
}

export function reviewOf(request: AdmissionRequest, { uid, version, match, object, oldObject }: ReviewInit): object {
  return {
    kind: 'AdmissionReview',
    apiVersion: `admission.k8s.io/${version}`,
    request: { uid, ...requestOf(request, match), object: object === undefined ? null : asShown(object, match), oldObject: oldObject === undefined ? null : asShown(oldObject, match) },
  }
}

/** An AdmissionRequest without uid and objects. */
export function requestOf(request: AdmissionRequest, match: Match): object {
  const { user, subresource, name } = request
  const namespace = namespaceOf(request)
  return {
    kind: match.kind,
    resource: match.resource,
    ...(subresource === '' ? {} : { subResource: subresource }),
    requestKind: kindOf(request),
    requestResource: resourceOf(request.kind),
    ...(subresource === '' ? {} : { requestSubResource: subresource }),
    ...(name === '' ? {} : { name }),
    ...(namespace === '' ? {} : { namespace }),
    operation: request.operation,
    userInfo: {
      username: user.name,
      ...(user.uid === undefined || user.uid === '' ? {} : { uid: user.uid }),
      ...(user.groups.length === 0 ? {} : { groups: user.groups }),
      ...(user.extra === undefined || Object.keys(user.extra).length === 0 ? {} : { extra: user.extra }),
    },
    dryRun: request.dryRun,
    options: request.operation === 'CONNECT' ? null : request.options,
  }
}

/** Objects say what they are. */
export function asShown(object: Readonly<AnyObject>, { kind }: Match): Readonly<AnyObject> {
  return object.kind !== undefined && object.apiVersion !== undefined ? object : { ...object, kind: kind.kind, apiVersion: apiVersionOf(kind) }
}

/** Text: why the answer is none. */
export async function readAnswer(ctx: Ctx, body: Uint8Array, { uid, version }: Pick<ReviewInit, 'uid' | 'version'>, mutating: boolean): Promise<ReviewAnswer | string> {
  const review = await parse(ctx, body)
  const response = review['response'] as Readonly<Record<string, unknown>> | undefined | null
  if (typeof response !== 'object' || response === null) return 'webhook response was absent'
  if (version === 'v1') {
    const wrong = wrongAnswer(review, response, uid, mutating)
    if (wrong !== undefined) return wrong
  }
  const patch = typeof response['patch'] === 'string' && response['patch'] !== '' ? response['patch'] : undefined
  const patchType = version === 'v1' ? response['patchType'] : patch === undefined ? undefined : 'JSONPatch'
  return {
    allowed: response['allowed'] === true,
    status: (response['status'] ?? undefined) as Partial<Status> | undefined,
    warnings: strings(response['warnings']),
    auditAnnotations: (response['auditAnnotations'] ?? {}) as Readonly<Record<string, string>>,
    patch: mutating ? patch : undefined,
    patchType: typeof patchType === 'string' ? patchType : undefined,
  }
}

function wrongAnswer(review: Readonly<Record<string, unknown>>, response: Readonly<Record<string, unknown>>, uid: string, mutating: boolean): string | undefined {
  const { uid: answered = '', patch, patchType } = response as { uid?: string; patch?: string; patchType?: string }
  if (answered !== uid) return `expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(answered)}`
  const [group, version] = String(review['apiVersion'] ?? '').includes('/') ? String(review['apiVersion']).split('/') : ['', String(review['apiVersion'] ?? '')]
  const kind = String(review['kind'] ?? '')
  if (group !== 'admission.k8s.io' || version !== 'v1' || kind !== 'AdmissionReview') {
    return `expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got ${group}/${version}, Kind=${kind}`
  }
  const has = { patch: (patch ?? '') !== '', type: patchType !== undefined && patchType !== null }
  if (!mutating) return has.patch ? 'validating webhook may not return response.patch' : has.type ? 'validating webhook may not return response.patchType' : undefined
  if (has.patch && !has.type) return 'webhook returned response.patch but not response.patchType'
  if (!has.patch && has.type) return 'webhook returned response.patchType but not response.patch'
  return has.type && patchType === '' ? 'webhook returned invalid response.patchType of ""' : undefined
}

/** Throws Error in the words of upstream's decoder. */
async function parse(ctx: Ctx, body: Uint8Array): Promise<Readonly<Record<string, unknown>>> {
  const text = new TextDecoder().decode(body)
  if (text === '') throw new Error('0-length response with status code: 200 and content type: application/json')
  const parsed = parseJson(text)
  const read = parsed.ok ? parsed : await readYaml(ctx, text) // upstream's decoder takes both
  if (!read.ok) throw new Error(`couldn't get version/kind; json parse error: ${read.error}`)
  const { value } = read
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`couldn't get version/kind; json parse error: json: cannot unmarshal ${Array.isArray(value) ? 'array' : typeof value} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`)
  }
  const { kind = '', apiVersion = '' } = value as { readonly kind?: string; readonly apiVersion?: string }
  if (kind !== '' && apiVersion !== '' && (kind !== 'AdmissionReview' || !apiVersion.startsWith('admission.k8s.io/'))) {
    throw new Error(`no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} in scheme "pkg/runtime/scheme.go:111"`)
  }
  return value as Readonly<Record<string, unknown>>
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
}

/** The answer to a client whose request a webhook refused. */
export function denial(hook: string, status: Partial<Status> | undefined): ApiError {
  const by = `admission webhook "${hook}" denied the request`
  const { code = 0, message = '', reason = '' } = status ?? {}
  const why = message !== '' ? `: ${message}` : reason !== '' ? `: ${reason}` : ' without explanation'
  return ApiError.from({ ...status, code: code < 400 ? 400 : code, message: by + why })
}
