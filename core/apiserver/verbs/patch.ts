/**
 * patch: JSON, merge and strategic merge patches of the current object, and server-side apply. How patches work is
 * core/api/patch; here they are read, run inside the registry's compare-and-set, decoded again and checked.
 */
import { ApiError, badRequest, conflict, invalid, unsupportedMediaType } from '../../api/errors.ts'
import { invalidValue, path } from '../../api/field.ts'
import type { CustomRules } from '../../api/kind.ts'
import { apiVersionOf, parseApiVersion, type AnyObject } from '../../api/meta.ts'
import { applyPatch } from '../../api/patch/apply.ts'
import { applyJsonPatch, parseJsonPatch } from '../../api/patch/json.ts'
import { applyMergePatch } from '../../api/patch/merge.ts'
import { definition, definitionOf } from '../../api/schema/schema.ts'
import { decodeValue } from '../../api/schema/validate.ts'
import { duplicateFields, parseJson } from '../../api/codec/json.ts'
import type { ParsedYaml } from '../../api/codec/yaml.ts'
import { goWord, patchTypes } from '../body.ts'
import { cloneJson } from '../../lib/json.ts'
import { readYaml } from '../../client/yaml.ts'
import { checkPatchedType } from '../custombody.ts'
import type { ApiServerDeps, Call, FieldValidation, Outcome, PatchBody, Target } from '../deps.ts'
import { askedOf, writeOptions, type Asked } from './options.ts'
import { dedupeOwners } from './owners.ts'
import { checkName, checkNamespace, creating, keyOf, reshaped, type Reshape } from './write.ts'
import { strategicPatch } from './strategic.ts'

export async function patchVerb(deps: ApiServerDeps, call: Call, reshape?: Reshape): Promise<Outcome> {
  const patch = await call.payload.patch()
  const asked = patchAsked(call, patch.type)
  const apply = patch.type === patchTypes.apply
  const read = readPatch(call, patch, asked)
  const { document, problems } = read instanceof Promise ? await read : read
  const options = {
    ...writeOptions(deps, call, asked, { operation: 'UPDATE', apply }),
    ...(apply && call.info.subresource === '' ? { createIfAbsent: { admission: creating(deps, call, asked) } } : {}),
  }
  const change = (current: AnyObject | undefined): AnyObject => {
    const before = reshape === undefined || current === undefined ? undefined : cloneJson(current)
    const uid = current?.metadata.uid
    const next = apply
      ? applied(call, asked, document as AnyObject, current)
      : patched(call, { asked, type: patch.type, document, problems, target: call.kind, live: current as AnyObject })
    if (apply) sayProblems(call, asked, problems)
    checkNamespace(call, next)
    checkName(call, next)
    if (current !== undefined) checkUid(call, next, uid)
    dedupeOwners(next, call)
    return reshape === undefined || before === undefined ? next : reshaped(reshape, next, before, call)
  }
  const { item, created } = await deps.registry.update(call.ctx, call.kind, keyOf(call), change, options)
  return { type: 'item', code: created ? 201 : 200, item }
}

/** A PUT's uid is a precondition; a patch's is a change. */
function checkUid(call: Call, next: AnyObject, uid: string | undefined): void {
  if (next.metadata.uid === undefined || next.metadata.uid === uid) return
  const error = invalidValue(path('metadata', 'uid'), next.metadata.uid, 'field is immutable')
  throw invalid(call.kind, call.info.name, [error, error])
}

/** Throws 415 for patches that are none, 422 for options that do not fit. */
export function patchAsked(call: Call, type: string): Asked {
  const custom = call.kind.custom !== undefined
  if (!custom && !(Object.values(patchTypes) as string[]).includes(type)) {
    throw new ApiError({
      code: 415,
      reason: 'UnsupportedMediaType',
      message: '415: Unsupported Media Type',
      details: {},
    })
  }
  if (custom && !customPatchTypes.includes(type)) {
    throw unsupportedMediaType(`the body of the request was in an unknown format - accepted media types include: ${customPatchTypes.join(', ')}`)
  }
  return askedOf('PatchOptions', call.info.query, call.agent, { apply: type === patchTypes.apply })
}

const customPatchTypes: readonly string[] = [patchTypes.json, patchTypes.merge, patchTypes.apply]

/** Of a JSON patch only the operations themselves are looked at, not what they put where. */
const operationField = /^\[\d+\]\.[^.[]+$/

interface ReadPatch {
  readonly document: unknown
  /** What Strict refuses in the document itself; the other fields are looked at when the patch is applied. */
  readonly problems: readonly string[]
}

/** The parsed document, at once unless it is large YAML; duplicate fields are warned of, or kept for Strict to refuse. */
export function readPatch(call: Call, patch: PatchBody, asked: Asked): ReadPatch | Promise<ReadPatch> {
  if (patch.text === undefined) return { document: patch.document, problems: [] }
  if (patch.type === patchTypes.apply) return readApply(call, patch.text, asked.fieldValidation)
  const parsed = parseJson(patch.text)
  if (!parsed.ok)
    throw badRequest(patch.type === patchTypes.strategic ? parsed.error : `error decoding patch: ${parsed.error}`)
  const prefix = patch.type === patchTypes.json ? 'json patch ' : ''
  const duplicates = asked.fieldValidation === 'Ignore' ? [] : duplicateFields(patch.text, parsed.value).filter((field) => prefix === '' || operationField.test(field)).map((field) => `${prefix}duplicate field ${JSON.stringify(field)}`)
  if (asked.fieldValidation === 'Warn') for (const each of duplicates) call.warn(each)
  if (patch.type === patchTypes.strategic && (typeof parsed.value !== 'object' || Array.isArray(parsed.value))) {
    throw badRequest(
      `json: cannot unmarshal ${Array.isArray(parsed.value) ? 'array' : typeof parsed.value === 'boolean' ? 'bool' : typeof parsed.value} into Go value of type map[string]interface {}`,
    )
  }
  return { document: parsed.value, problems: asked.fieldValidation === 'Strict' ? duplicates : [] }
}

function readApply({ ctx }: Call, text: string, validation: FieldValidation): ReadPatch | Promise<ReadPatch> {
  // JSON is YAML, and much faster to read.
  const json = text.trimStart().startsWith('{') ? parseJson(text) : undefined
  const plain = json?.ok === true && (validation === 'Ignore' || duplicateFields(text, json.value).length === 0)
  const parsed = plain ? { ...json, duplicates: [] } : readYaml(ctx, text)
  return parsed instanceof Promise ? parsed.then((late) => configuration(late, validation)) : configuration(parsed, validation)
}

/** An object, as far as can be told before its type is known. */
function configuration(parsed: ParsedYaml<unknown>, validation: FieldValidation): ReadPatch {
  if (!parsed.ok) throw badRequest(`error decoding YAML: error converting YAML to JSON: ${parsed.error}`)
  const { value } = parsed
  if (value === null) throw badRequest('invalid object type: /, Kind=')
  if (typeof value !== 'object' || Array.isArray(value)) {
    const what = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
    throw badRequest(
      `error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${what} into Go value of type map[string]interface {}`,
    )
  }
  const twice = parsed.duplicates.map((each) => `  ${each}`).join('\n')
  return { document: value, problems: twice === '' || validation === 'Ignore' ? [] : [`error converting YAML to JSON: yaml: unmarshal errors:\n${twice}`] }
}

/** What is wrong with the text of a configuration is told after what is wrong with the configuration. */
function sayProblems(call: Call, asked: Asked, problems: readonly string[]): void {
  for (const problem of problems) {
    if (asked.fieldValidation === 'Strict') throw badRequest(`error strict decoding YAML: ${problem}`)
    call.warn(problem)
  }
}

export interface PatchRun {
  readonly asked: Asked
  readonly type: string
  readonly document: unknown
  readonly problems: readonly string[]
  readonly target: Target
  /** The caller's own copy. */
  readonly live: AnyObject
}

/** One patch of a computed object such as Scale. */
export function applyPatchBody(call: Call, run: PatchRun): AnyObject {
  const { asked, target, live, type, document, problems } = run
  if (type === patchTypes.apply) {
    const applied = applyTo(asked, document as AnyObject, { live, target, subresource: call.info.subresource, now: call.ctx.clock.now() })
    sayProblems(call, asked, problems)
    return applied
  }
  return patched(call, { asked, type, document, problems, target, live })
}

/** The patched object, decoded as its kind: what does not fit is 422 with the whole document, as upstream says it. */
function patched(call: Call, run: PatchRun): AnyObject {
  const { type, document, live, target, asked } = run
  const strategic = type === patchTypes.strategic ? strategicPatch(live, document, target) : undefined
  const next = strategic?.merged ?? (type === patchTypes.json ? applyJsonPatch(live, parseJsonPatch(document)) : applyMergePatch(live, document))
  if (target.custom !== undefined) return patchedCustom(call, { ...run, target }, target.custom, next as AnyObject)
  const shown = (): string => (strategic === undefined ? goJson(next) : goMap(strategic.rest))
  const of = definitionOf(target.group, target.version, target.kind)
  if (of === undefined) return next as AnyObject
  if (strategic === undefined) checkRoot(target, next as AnyObject, shown)
  const decoded = decodeValue(of, cloneJson(next))
  if (decoded.error !== undefined)
    throw refuse(shown(), strategic === undefined ? decoded.error : strategicError(decoded.error))
  const problems = [...run.problems, ...decoded.unknown]
  if (problems.length > 0) {
    if (asked.fieldValidation === 'Strict') throw refuse(shown(), `strict decoding error: ${problems.join(', ')}`)
    if (asked.fieldValidation === 'Warn') for (const text of decoded.unknown) call.warn(text)
  }
  const object = decoded.object as AnyObject
  object.metadata ??= {}
  return object
}

/** What the patch made of apiVersion and kind, which the decoder reads first. */
function checkRoot(target: Target, next: Readonly<AnyObject>, shown: () => string): void {
  for (const name of ['apiVersion', 'kind'] as const) {
    const field: unknown = next[name]
    if (field !== undefined && field !== null && typeof field !== 'string') {
      throw refuse(shown(), `couldn't get version/kind; json parse error: json: cannot unmarshal ${goWord(field)} into Go struct field .${name} of type string`)
    }
  }
  const apiVersion = ['', '/'].includes(next.apiVersion ?? '') ? apiVersionOf(target) : (next.apiVersion ?? '')
  const kind = (next.kind ?? '') === '' ? target.kind : (next.kind ?? '')
  if (apiVersion.split('/').length > 2) throw refuse(shown(), `unexpected GroupVersion string: ${apiVersion}`)
  const { group, version } = parseApiVersion(apiVersion)
  if (definitionOf(group, version, kind) === undefined) throw refuse(shown(), `no kind "${kind}" is registered for version "${apiVersion}" in scheme "pkg/runtime/scheme.go:111"`)
}

function patchedCustom(call: Call, { target, asked, problems }: PatchRun, custom: CustomRules, next: AnyObject): AnyObject {
  const shown = JSON.stringify(sorted(next))
  if ((next.kind ?? '') === '') throw refuse(shown, `Object 'Kind' is missing in '${shown}'`)
  const decoded = custom.decode(cloneJson(next), { fieldValidation: asked.fieldValidation, problems })
  if (!decoded.ok) throw refuse(shown, decoded.error.message.replace(/^.*? cannot be handled as an? \S+: /, ''))
  if (asked.fieldValidation === 'Warn') for (const text of decoded.warnings) call.warn(text)
  decoded.object.metadata ??= {}
  checkPatchedType(decoded.object, target)
  return decoded.object
}

/** Go writes maps by their keys. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]))
}

function refuse(document: string, why: string): ApiError {
  return invalid({ group: '', kind: '' }, '', [invalidValue(path('patch'), document, why)])
}

/** Upstream converts strategic results field by field, with words of its own for a wrong type. */
function strategicError(error: string): string {
  if (error.startsWith('illegal base64')) return `error decoding from json: ${error}`
  const match = /^json: cannot unmarshal (\w+)(?: (\S+))? into Go (?:struct field \S+|value) of type (\S+)$/.exec(error)
  if (match === null) return error
  const [, found = '', literal = '', type = ''] = match
  if (found === 'number' && /^u?int\d*$/.test(type)) return /[.e-]/i.test(literal.slice(1)) ? `cannot convert float64 to ${type}` : `json: cannot unmarshal number ${literal} into Go value of type ${type}`
  if (found === 'number' && type === 'string' && !/[.e]/i.test(literal)) return 'cannot convert int64 to string'
  if (/^v\d/.test(type) && !type.startsWith('[]')) return `cannot restore struct from: ${goKinds[found] ?? found}`
  if (type.startsWith('[]')) return `cannot restore slice from ${goKinds[found] ?? found}`
  if (type.startsWith('map[')) return `cannot restore map from ${goKinds[found] ?? found}`
  return `unrecognized type: ${type}`
}

/** Kinds of Go's reflection for what its JSON decoder calls otherwise. */
const goKinds: Readonly<Record<string, string>> = { array: 'slice', object: 'map', number: 'int64' }

/** Upstream's patches leave the object's own fields sorted, and those inside as Go's structs have them. */
function goJson(value: unknown): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return JSON.stringify(value)
  const object = { ...value } as Record<string, unknown>
  const meta = object['metadata'] as Record<string, unknown> | undefined
  if (typeof meta === 'object' && meta !== null) {
    const order = [...definition('ObjectMeta').fields.keys()]
    const names = Object.keys(meta).toSorted((a, b) => order.indexOf(a) - order.indexOf(b))
    object['metadata'] = Object.fromEntries(names.map((name) => [name, meta[name]]))
  }
  return JSON.stringify(Object.fromEntries(Object.entries(object).toSorted(([a], [b]) => (a < b ? -1 : 1))))
}

/** Go's %v of a map: `map[spec:map[replicas:x]]`. */
function goMap(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(goMap).join(' ')}]`
  if (typeof value !== 'object' || value === null) return value === null ? '<nil>' : String(value)
  return `map[${Object.entries(value)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, inner]) => `${key}:${goMap(inner)}`)
    .join(' ')}]`
}

function applied(call: Call, asked: Asked, document: AnyObject, current: AnyObject | undefined): AnyObject {
  const { info, kind } = call
  const subresource = info.subresource
  if (current === undefined && (document.metadata?.uid ?? '') !== '') {
    throw conflict(
      { group: kind.group, resource: kind.plural },
      info.name,
      `uid mismatch: the provided object specified uid ${document.metadata.uid}, and no existing object was found`,
    )
  }
  return applyTo(asked, document, { live: current, target: kind, subresource, now: call.ctx.clock.now() })
}

interface ApplyInit {
  readonly live: AnyObject | undefined
  readonly target: Target
  readonly subresource: string
  readonly now: number
}

function applyTo(asked: Asked, document: AnyObject, { live, target, subresource, now }: ApplyInit): AnyObject {
  const kind = { ...target, plural: '', namespaced: true }
  const result = applyPatch({
    live,
    applied: document,
    manager: asked.fieldManager,
    force: asked.force,
    kind: 'plural' in target ? (target as typeof kind) : kind,
    subresource,
    now,
    ...(target.custom === undefined ? {} : { type: target.custom.type }),
  })
  if (result.conflict !== undefined) throw result.conflict
  if (target.custom !== undefined) return appliedCustom(target.custom, result.object)
  const of = definitionOf(target.group, target.version, target.kind)
  if (of === undefined) return result.object
  const decoded = decodeValue(of, cloneJson(result.object))
  if (decoded.error !== undefined) {
    const name = `${document.metadata?.namespace ?? ''}/${document.metadata?.name ?? ''}`
    const gvk = `${target.group}/${target.version}, Kind=${target.kind}`
    throw new ApiError({ code: 500, reason: '', message: `failed to convert new object (${name}; ${gvk}) to proper version: unable to convert unstructured object to ${gvk}: ${strategicError(decoded.error)}` })
  }
  const object = decoded.object as AnyObject
  object.metadata ??= {}
  return object
}

/** What is not declared was refused already; nulls go, as they do from any body. */
function appliedCustom(custom: CustomRules, applied: AnyObject): AnyObject {
  const decoded = custom.decode(cloneJson(applied), { fieldValidation: 'Ignore' })
  if (!decoded.ok) throw decoded.error
  decoded.object.metadata ??= {}
  return decoded.object
}
