/**
 * What a client accepts: media type, conversion to Table or metadata only, indentation. The order of preference and
 * the refusals are upstream's (k8s.io/apiserver/pkg/endpoints/handlers/negotiation).
 */
import { ApiError, notAcceptable } from '../api/errors.ts'
import type { RequestInfo } from './request.ts'

export type MediaType = 'application/json' | 'application/yaml' | 'application/vnd.kubernetes.protobuf'

export interface Media {
  readonly type: MediaType
  readonly as?: 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList'
  /** Version of meta.k8s.io of the conversion. */
  readonly asVersion: 'v1' | 'v1beta1'
  readonly pretty: boolean
}

export const mediaTypes: readonly MediaType[] = [
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
]
const protobufType = 'application/vnd.kubernetes.protobuf'
export const plainJson: Media = { type: 'application/json', asVersion: 'v1', pretty: false }

export interface Clause {
  readonly type: string
  readonly params: Readonly<Record<string, string>>
}

const clauses = new Map<string, readonly Clause[]>()
/** Accept headers kept parsed; clients send few different ones. */
const clausesMax = 500

/** Clauses of an Accept header, best first. */
export function parseAccept(header: string): readonly Clause[] {
  const known = clauses.get(header)
  if (known !== undefined) return known
  const made = header.split(',').map((text, index) => {
    const [type = '', ...rest] = text.split(';').map((part) => part.trim())
    const params: Record<string, string> = {}
    for (const part of rest) {
      const equals = part.indexOf('=')
      if (equals > 0) params[part.slice(0, equals).toLowerCase()] = part.slice(equals + 1).replaceAll('"', '')
    }
    const quality = params['q'] === undefined ? 1 : Number(params['q']) || 0
    return { type: type.toLowerCase(), params, quality, index }
  })
  const sorted = made.filter((c) => c.quality > 0).toSorted((a, b) => b.quality - a.quality || a.index - b.index)
  if (clauses.size >= clausesMax) clauses.clear()
  clauses.set(header, sorted)
  return sorted
}

/** Throws 406. `convertible`: the answer is an object or list, of which a Table can be made; `custom`: it has no protobuf form, but its metadata has. */
export function negotiate(
  accept: string | undefined,
  info: RequestInfo,
  agent: string,
  options: { readonly convertible: boolean; readonly watch?: boolean; readonly custom: boolean },
): Media {
  if (accept === undefined || accept === '' || accept === 'application/json')
    return simple('application/json', info, agent)
  let known = false
  for (const clause of parseAccept(accept)) {
    const type = mediaTypes.find((candidate) => matches(clause.type, candidate))
    if (type === undefined) continue
    known = true
    if (options.watch === true && type === 'application/yaml') continue
    const as = clause.params['as']
    if (as === undefined && options.custom && type === protobufType) continue
    if (as === undefined) return simple(type, info, agent)
    if (!options.convertible || clause.params['g'] !== 'meta.k8s.io') continue
    const version = clause.params['v']
    if (version !== 'v1' && version !== 'v1beta1') continue
    if (as !== 'Table' && as !== 'PartialObjectMetadata' && as !== 'PartialObjectMetadataList') continue
    // A Table has no protobuf form.
    if (as === 'Table' && type === protobufType) continue
    return { ...simple(type, info, agent), as, asVersion: version }
  }
  const offered = options.watch === true && !options.custom ? streamTypes : mediaTypes
  if (known || options.custom) throw notAcceptable(`only the following media types are accepted: ${offered.join(', ')}`)
  const all = options.watch === true || info.verb === 'list' ? [...mediaTypes, ...streamTypes] : mediaTypes
  throw new ApiError({
    code: 406,
    reason: 'NotAcceptable',
    message: `406: Not Acceptable\n\nAvailable representations: ${all.join(', ')}`,
    details: {},
  })
}

const streamTypes = ['application/json;stream=watch', 'application/vnd.kubernetes.protobuf;stream=watch']

function matches(clause: string, type: string): boolean {
  return clause === type || clause === '*/*' || (clause.endsWith('/*') && type.startsWith(clause.slice(0, -1)))
}

function simple(type: MediaType, info: RequestInfo, agent: string): Media {
  return { type, asVersion: 'v1', pretty: wantsPretty(info, agent) }
}

/** Asked for, or a person who looks: curl, wget, a browser. */
function wantsPretty(info: RequestInfo, agent: string): boolean {
  const asked = info.query.get('pretty')
  if (asked !== undefined) return info.query.flag('pretty')
  return agent.startsWith('curl') || agent.startsWith('Wget') || agent.startsWith('Mozilla/5.0')
}
