/**
 * Bodies as objects: JSON, YAML or Kubernetes protobuf, decoded as the kind that the path wants, with upstream's
 * sentences for everything that is not it. The schema's decoder (core/api/schema/validate.ts) looks at the fields.
 */
import { ApiError, badRequest, requestEntityTooLarge, unsupportedMediaType } from '../api/errors.ts'
import { apiVersionOf, parseApiVersion, type AnyObject } from '../api/meta.ts'
import { definitionOf, goStructName, type Definition } from '../api/schema/schema.ts'
import { decodeObject, unrecognized } from '../api/schema/validate.ts'
import { parseJson } from '../api/codec/json.ts'
import type { ParsedYaml } from '../api/codec/yaml.ts'
import { readYaml } from '../client/yaml.ts'
import type { Ctx } from '../lib/ctx.ts'
import { decodeProtobufBody } from './codec.ts'
import { decodeCustom } from './custombody.ts'
import type { Call, FieldValidation, Payload, Target } from './deps.ts'
import { fromUtf8, type Incoming } from './exchange.ts'
import { mediaTypes, type MediaType } from './negotiate.ts'

/** The largest body, as upstream. */
export const bodyBytesMax = 3 * 1_024 * 1_024

export function tooLarge(): ApiError {
  return requestEntityTooLarge(`limit is ${bodyBytesMax}`)
}

export const patchTypes = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const

const knownPatchTypes: ReadonlySet<string> = new Set(Object.values(patchTypes))

/** A body that came over a socket. `ctx` is the request's. */
export function bytesPayload(ctx: Ctx, request: Incoming): Payload {
  return {
    async object(target, call, validation) {
      const type = inputType(request.header('content-type'), target.custom !== undefined)
      const body = await request.body()
      const parsed = parseBody(ctx, body, type, target)
      const { value, text, duplicates = [] } = parsed instanceof Promise ? await parsed : parsed
      return decodeValueAs(value, { target, body, call, validation, text, problems: yamlProblems(duplicates, validation) })
    },
    async options() {
      const body = await request.body()
      if (body.length === 0) return undefined
      return await decodeOptions(ctx, body, inputType(request.header('content-type')))
    },
    async patch() {
      const type = (request.header('content-type') ?? '').split(';', 1)[0]?.trim() ?? ''
      return { type, text: knownPatchTypes.has(type) ? fromUtf8(await request.body()) : '' }
    },
  }
}

/** Throws 415. No content type means JSON. Custom kinds have no protobuf form. */
function inputType(header: string | undefined, custom = false): MediaType {
  if (header === undefined || header === '') return 'application/json'
  const type = header.split(';', 1)[0]?.trim().toLowerCase()
  const known = mediaTypes.find((candidate) => candidate === type)
  if (known === undefined || (custom && known === 'application/vnd.kubernetes.protobuf')) {
    throw unsupportedMediaType(
      `the body of the request was in an unknown format - accepted media types include: ${mediaTypes.join(', ')}`,
    )
  }
  return known
}

/** The unnamed Go struct that upstream reads apiVersion and kind into. */
const typeMetaStruct =
  'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
/** Upstream's registry of types names itself in errors. */
const scheme = 'in scheme "pkg/runtime/scheme.go:111"'

/** Keys that a YAML map has twice, as Strict says it, and Warn. */
function yamlProblems(duplicates: readonly string[], validation: FieldValidation): readonly string[] {
  if (duplicates.length === 0 || validation !== 'Strict') return duplicates
  return [`yaml: unmarshal errors:\n${duplicates.map((each) => `  ${each}`).join('\n')}`]
}

interface DecodeInit {
  readonly target: Target
  readonly body: Uint8Array
  readonly call: Pick<Call, 'warn'>
  readonly validation: FieldValidation
  readonly text: string | undefined
  /** Found by the parser already. */
  readonly problems?: readonly string[]
}

/** Checks apiVersion and kind, then every field. `value` becomes the callee's. */
export function decodeValueAs(value: unknown, { target, body, call, validation, text, problems = [] }: DecodeInit): AnyObject {
  const refuseRoot = (what: string): ApiError =>
    unrecognized(target.kind, `couldn't get version/kind; json parse error: ${what}`, body)
  value ??= {}
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw refuseRoot(`json: cannot unmarshal ${goWord(value)} into Go value of type ${typeMetaStruct}`)
  }
  const object = value as AnyObject
  const want = apiVersionOf(target)
  for (const name of ['apiVersion', 'kind'] as const) {
    const field: unknown = object[name]
    if (field !== undefined && field !== null && typeof field !== 'string') {
      throw refuseRoot(`json: cannot unmarshal ${goWord(field)} into Go struct field .${name} of type string`)
    }
  }
  if (target.custom !== undefined) {
    const { custom } = target
    const options = { fieldValidation: validation, text, problems }
    return decodeCustom(object, body, { target, custom, options, warn: call.warn })
  }
  // Go reads a lone slash as no group and no version, too.
  const given = object.apiVersion ?? ''
  const older = target.olderVersions?.some((version) => given === apiVersionOf({ group: target.group, version })) === true
  const apiVersion = older || ['', '/'].includes(given) ? want : given
  const kind = (object.kind ?? '') === '' ? target.kind : (object.kind ?? '')
  if (apiVersion.split('/').length > 2) throw unrecognized(target.kind, `unexpected GroupVersion string: ${apiVersion}`, body)
  if (apiVersion !== want || kind !== target.kind) refuseOther(apiVersion, kind, target)
  const added = Number(object.apiVersion === undefined) + Number(object.kind === undefined)
  object.apiVersion = apiVersion
  object.kind = kind
  const definition = definitionOf(target.group, target.version, target.kind)
  if (definition === undefined) return ensureMetadata(object)
  return decodeKnown(definition, object, { call, validation, text, added, problems })
}

/** What Go's decoder calls a JSON value. */
export function goWord(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

function decodeKnown(
  definition: Definition,
  object: AnyObject,
  init: Pick<DecodeInit, 'call' | 'validation' | 'text'> & { readonly added: number; readonly problems: readonly string[] },
): AnyObject {
  const decoded = decodeObject<AnyObject>(definition, object, { fieldValidation: init.validation, text: init.text, added: init.added, problems: init.problems })
  if (!decoded.ok) throw decoded.error
  if (init.validation === 'Warn') for (const warning of decoded.warnings) init.call.warn(warning)
  return ensureMetadata(decoded.object)
}

function ensureMetadata(object: AnyObject): AnyObject {
  object.metadata ??= {}
  return object
}

/** A body of another kind or version than the path's. */
function refuseOther(apiVersion: string, kind: string, target: Target): never {
  const { group, version } = parseApiVersion(apiVersion)
  const known = definitionOf(group, version, kind)
  if (known === undefined) {
    if (group === target.group && kind === target.kind && oldVersions[group]?.includes(version) === true) {
      throw badRequest(
        `the API version in the data (${apiVersion}) does not match the expected API version (${apiVersionOf(target)})`,
      )
    }
    throw badRequest(
      `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${target.kind}: no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} ${scheme}`,
    )
  }
  if (kind === target.kind && group === target.group) {
    throw badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version (${apiVersionOf(target)})`,
    )
  }
  const internal = `${target.group === '' ? 'core' : (target.group.split('.', 1)[0] ?? '')}.${target.kind}`
  throw badRequest(
    `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${target.kind}: converting (${version}.${goStructName(known)}) to (${internal}): unknown conversion`,
  )
}

/** Versions that upstream can still read but does not serve. */
const oldVersions: Readonly<Record<string, readonly string[]>> = {
  apps: ['v1beta1', 'v1beta2'],
  autoscaling: ['v2beta1', 'v2beta2'],
  batch: ['v1beta1'],
  policy: ['v1beta1'],
  'networking.k8s.io': ['v1beta1'],
  'discovery.k8s.io': ['v1beta1'],
  'events.k8s.io': ['v1beta1'],
  'rbac.authorization.k8s.io': ['v1beta1', 'v1alpha1'],
  'storage.k8s.io': ['v1beta1', 'v1alpha1'],
  'coordination.k8s.io': ['v1beta1'],
}

interface Parsed {
  readonly value: unknown
  readonly text: string | undefined
  readonly duplicates?: readonly string[]
}

/** Only large YAML takes its time. */
function parseBody(ctx: Ctx, body: Uint8Array, type: MediaType, target: Target): Parsed | Promise<Parsed> {
  if (type === 'application/vnd.kubernetes.protobuf')
    return { value: decodeProtobufBody(body, target), text: undefined }
  const text = fromUtf8(body)
  if (type === 'application/yaml') {
    const given = (parsed: ParsedYaml<unknown>): Parsed => {
      if (!parsed.ok) throw unrecognized(target.kind, parsed.error, body)
      return { value: parsed.value, text: undefined, duplicates: parsed.duplicates }
    }
    const parsed = readYaml(ctx, text)
    return parsed instanceof Promise ? parsed.then(given) : given(parsed)
  }
  const parsed = parseJson(text)
  if (!parsed.ok) throw unrecognized(target.kind, `couldn't get version/kind; json parse error: ${parsed.error}`, body)
  return { value: parsed.value, text }
}

/** DeleteOptions come under meta.k8s.io/v1, v1 or the group of the resource. */
async function decodeOptions(ctx: Ctx, body: Uint8Array, type: MediaType): Promise<Readonly<Record<string, unknown>>> {
  const target = { group: '', version: 'v1', kind: 'DeleteOptions' }
  let value: unknown
  if (type === 'application/vnd.kubernetes.protobuf') value = decodeProtobufBody(body, target)
  else {
    const text = fromUtf8(body)
    const parsed = type === 'application/yaml' ? await readYaml(ctx, text) : parseJson(text)
    if (!parsed.ok) throw badRequest(`couldn't get version/kind; json parse error: ${parsed.error}`)
    value = parsed.value
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw badRequest(
      `couldn't get version/kind; json parse error: json: cannot unmarshal ${goWord(value)} into Go value of type ${typeMetaStruct}`,
    )
  }
  const object = value as AnyObject
  const kind = object.kind ?? ''
  if (kind !== '' && kind !== 'DeleteOptions') {
    throw badRequest(
      `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(object.apiVersion ?? '')} ${scheme}`,
    )
  }
  const definition = definitionOf('', 'v1', 'DeleteOptions')
  if (definition === undefined) return object
  const decoded = decodeObject<AnyObject>(definition, object, { fieldValidation: 'Ignore' })
  if (!decoded.ok) throw badRequest(decoded.error.message.replace(/^.*? cannot be handled as a DeleteOptions: /, ''))
  return decoded.object
}
