/**
 * How writes of CertificateSigningRequests behave, and their rules (k8s.io/kubernetes/pkg/apis/certificates/validation,
 * pkg/registry/certificates). The request is looked at as PEM only; its signature is proved by who signs.
 */
import type { Errors } from '../checks.ts'
import { equalJson } from '../../lib/json.ts'
import { diffText } from '../diff.ts'
import { duplicate, forbiddenField, invalidValue, notSupported, path, required } from '../field.ts'
import type { StatusRules, Strategy } from '../kind.ts'
import type { CertificateSigningRequest as Request, CertificateSigningRequestCondition as Condition } from '../schema/types.ts'
import { formatTime } from '../time.ts'
import { validateSignerName } from './signername.ts'

const at = path('spec')
const conditionsAt = path('status', 'conditions')
const decisions = ['Approved', 'Denied', 'Failed']
const legacySigner = 'kubernetes.io/legacy-unknown'

const usages = [
  'any', 'cert sign', 'client auth', 'code signing', 'content commitment', 'crl sign', 'data encipherment', 'decipher only', 'digital signature', 'email protection',
  'encipher only', 'ipsec end system', 'ipsec tunnel', 'ipsec user', 'key agreement', 'key encipherment', 'microsoft sgc', 'netscape sgc', 'ocsp signing', 's/mime',
  'server auth', 'signing', 'timestamping',
]

/** The text of a PEM block of this type that stands in base64 of base64; undefined when there is none. */
function pemBody(encoded: string, type: string): Uint8Array | undefined {
  const text = Buffer.from(encoded, 'base64').toString('latin1')
  const body = new RegExp(`-----BEGIN ${type}-----\\r?\\n([A-Za-z0-9+/=\\s]*)-----END ${type}-----`).exec(text)?.[1]
  return body === undefined ? undefined : Buffer.from(body, 'base64')
}

/** Whether bytes are one DER sequence, of the length that they say. */
function isSequence(bytes: Uint8Array): boolean {
  const first = bytes[1] ?? 0
  if (bytes[0] !== 0x30) return false
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f
  const length = lengthBytes === 0 ? first : bytes.slice(2, 2 + lengthBytes).reduce((sum, byte) => sum * 256 + byte, 0)
  return bytes.length === 2 + lengthBytes + length
}

function validate(request: Readonly<Request>, prev?: Readonly<Request>): Errors {
  const errors: Errors = []
  const { spec, status } = request
  const body = pemBody(spec.request ?? '', '(?:NEW )?CERTIFICATE REQUEST')
  if (body === undefined) errors.push(invalidValue(at.child('request'), spec.request ?? null, 'PEM block type must be CERTIFICATE REQUEST'))
  else if (!isSequence(body)) errors.push(invalidValue(at.child('request'), spec.request, 'asn1: structure error: tags don\'t match'))
  const asked = spec.usages ?? []
  if (asked.length === 0) errors.push(required(at.child('usages')))
  asked.forEach((usage, i) => {
    if (!usages.includes(usage)) errors.push(notSupported(at.child('usages').index(i), usage, usages))
  })
  asked.forEach((usage, i) => {
    if (asked.indexOf(usage) < i) errors.push(duplicate(at.child('usages').index(i), usage))
  })
  if (spec.signerName === legacySigner && prev?.spec.signerName !== legacySigner) {
    errors.push(invalidValue(at.child('signerName'), spec.signerName, 'the legacy signerName is not allowed via this API version'))
  } else {
    validateSignerName(errors, spec.signerName, at.child('signerName'))
  }
  const seconds = spec.expirationSeconds
  if (seconds !== undefined && seconds < 600) errors.push(invalidValue(at.child('expirationSeconds'), seconds, 'may not specify a duration less than 600 seconds (10 minutes)'))
  conditions(errors, status?.conditions ?? [])
  const certificate = status?.certificate ?? ''
  if (certificate !== '' && certificate !== prev?.status?.certificate && pemBody(certificate, 'CERTIFICATE') === undefined) {
    errors.push(invalidValue(path('status', 'certificate'), '<certificate data>', 'must contain at least one CERTIFICATE PEM block'))
  }
  return errors
}

function conditions(errors: Errors, list: readonly Readonly<Condition>[]): void {
  const seen = new Set<string>()
  list.forEach(({ type, status }, i) => {
    const here = conditionsAt.index(i)
    const known = decisions.includes(type) ? ['True'] : ['False', 'True', 'Unknown']
    if (type === '') errors.push(required(here.child('type')))
    if (status === '') errors.push(required(here.child('status')))
    else if (!known.includes(status)) errors.push(notSupported(here.child('status'), status, known))
    const other = type === 'Approved' ? 'Denied' : type === 'Denied' ? 'Approved' : ''
    if (seen.has(other)) errors.push(invalidValue(conditionsAt, type, 'Approved and Denied conditions are mutually exclusive'))
    if (seen.has(type)) errors.push(duplicate(here.child('type'), type))
    seen.add(type)
  })
}

interface Allowed {
  readonly decide?: boolean
  readonly issue?: boolean
}

function validateChange(next: Readonly<Request>, prev: Readonly<Request>, allowed: Allowed = {}): Errors {
  const errors = validate(next, prev)
  const of = (request: Readonly<Request>, type: string): readonly Condition[] => (request.status?.conditions ?? []).filter((condition) => condition.type === type)
  for (const type of decisions) {
    if (of(next, type).length < of(prev, type).length) errors.push(forbiddenField(conditionsAt, `updates may not remove a condition of type ${JSON.stringify(type)}`))
  }
  for (const type of allowed.decide === true ? [] : ['Approved', 'Denied']) {
    const [now, old] = [of(next, type), of(prev, type)]
    if (now.length > old.length) errors.push(forbiddenField(conditionsAt, `updates may not add a condition of type ${JSON.stringify(type)}`))
    else if (now.length === old.length && !equalJson(now, old)) {
      errors.push(forbiddenField(conditionsAt, `updates may not modify a condition of type ${JSON.stringify(type)}\n${diffText(old, now)}`))
    }
  }
  const [certificate, old] = [next.status?.certificate ?? '', prev.status?.certificate ?? '']
  if (certificate === old) return errors
  const here = path('status', 'certificate')
  if (allowed.issue !== true) errors.push(forbiddenField(here, 'updates may not set certificate content'))
  else if (old !== '') errors.push(forbiddenField(here, 'updates may not modify existing certificate content'))
  return errors
}

function stamp(next: Request, prev: Readonly<Request>, now: number): void {
  for (const condition of next.status?.conditions ?? []) {
    condition.lastUpdateTime ??= formatTime(now)
    const old = prev.status?.conditions?.find((other) => other.type === condition.type && other.status === condition.status)?.lastTransitionTime
    condition.lastTransitionTime ??= old ?? formatTime(now)
  }
}

/** Names of requests are free. */
export const requestName = (): readonly string[] => []

export const requestStrategy: Strategy<Request> = {
  /** Who asks is the server's word, never the request's own. */
  prepareCreate(request, env) {
    const { username: _username, uid: _uid, groups: _groups, extra: _extra, ...spec } = request.spec
    request.spec = spec
    if (env.user !== '') request.spec.username = env.user
    if ((env.uid ?? '') !== '') request.spec.uid = env.uid ?? ''
    if ((env.groups ?? []).length > 0) request.spec.groups = [...(env.groups ?? [])]
    const extra = Object.entries(env.extra ?? {})
    if (extra.length > 0) request.spec.extra = Object.fromEntries(extra.map(([key, values]) => [key, [...values]]))
  },
  validateCreate: (request) => validate(request),
  validateUpdate: (next, prev) => validateChange(next, prev),
}

export const requestStatus: StatusRules<Request> = {
  prepareUpdate: (next, prev, env) => stamp(next, prev, env.now),
  validateUpdate: (next, prev) => validateChange(next, prev, { issue: true }),
}

export const requestParts: Readonly<Record<string, StatusRules<Request>>> = {
  approval: {
    prepareUpdate: (next, prev, env) => stamp(next, prev, env.now),
    validateUpdate: (next, prev) => validateChange(next, prev, { decide: true }),
  },
}
