/**
 * Query parameters of writes and reads as values: dryRun, fieldManager, fieldValidation, force, list and delete
 * options; checked as upstream checks them (apimachinery/pkg/apis/meta/v1/validation).
 */
import { ApiError, badRequest, forbidden, invalid } from '../../api/errors.ts'
import { managerOfAgent, validateManagerName } from '../../api/fieldmanager.ts'
import {
  forbiddenField,
  invalidValue,
  notSupported,
  path,
  required,
  type FieldError,
} from '../../api/field.ts'
import type { AnyObject } from '../../api/meta.ts'
import type { DeleteOptions } from '../../api/schema/types.ts'
import { parseFieldSelector, parseLabelSelector } from '../../api/selector.ts'
import { checkField } from '../../registry/select.ts'
import type { ListQuery, WriteOptions } from '../../registry/registry.ts'
import type { ApiServerDeps, Call, FieldValidation, Target } from '../deps.ts'
import type { Query } from '../request.ts'

export type OptionsKind = 'CreateOptions' | 'UpdateOptions' | 'PatchOptions' | 'DeleteOptions'

export interface Asked {
  readonly dryRun: boolean
  readonly fieldValidation: FieldValidation
  /** Never empty: the client's User-Agent stands in. */
  readonly fieldManager: string
  readonly force: boolean
  /** As admission sees it. */
  readonly options: Readonly<Record<string, unknown>>
}

const metaGroup = 'meta.k8s.io'

/** Throws 422 for values upstream refuses. */
export function askedOf(kind: OptionsKind, query: Query, agent: string, patch?: { readonly apply: boolean }): Asked {
  if (query.raw === '' && patch?.apply !== true)
    return { ...plain, fieldManager: managerOf(agent), options: { kind, apiVersion: `${metaGroup}/v1` } }
  const manager = query.get('fieldManager') ?? ''
  const dryRun = query.all('dryRun')
  const validation = query.get('fieldValidation') ?? ''
  const errors: FieldError[] = []
  if (patch?.apply === true && manager === '')
    errors.push(required(path('fieldManager'), 'is required for apply patch'))
  if (patch?.apply === false && query.get('force') !== undefined)
    errors.push(forbiddenField(path('force'), 'may not be specified for non-apply patch'))
  errors.push(...validateManagerName(manager, path('fieldManager')), ...dryRunErrors(dryRun))
  if (!['', 'Ignore', 'Warn', 'Strict'].includes(validation)) {
    errors.push(notSupported(path('fieldValidation'), validation, ['', 'Ignore', 'Strict', 'Warn']))
  }
  if (errors.length > 0) throw invalid({ group: metaGroup, kind }, '', errors)
  const force = query.flag('force')
  return {
    dryRun: dryRun.length > 0,
    fieldValidation: validation === '' ? 'Warn' : (validation as FieldValidation),
    fieldManager: manager === '' ? managerOf(agent) : manager,
    force,
    options: {
      kind,
      apiVersion: `${metaGroup}/v1`,
      ...(dryRun.length === 0 ? {} : { dryRun }),
      ...(manager === '' ? {} : { fieldManager: manager }),
      ...(validation === '' ? {} : { fieldValidation: validation }),
      ...(force ? { force } : {}),
    },
  }
}

const plain = { dryRun: false, fieldValidation: 'Warn', force: false } as const

function dryRunErrors(values: readonly string[]): readonly FieldError[] {
  if (values.every((value) => value === 'All')) return []
  return [notSupported(path('dryRun'), values, ['All'])]
}

const managersMax = 1_000
const managers = new Map<string, string>()

/** Of clients there are few, and each says the same at every request. */
function managerOf(agent: string): string {
  const known = managers.get(agent)
  if (known !== undefined) return known
  const made = managerOfAgent(agent)
  if (managers.size > managersMax) managers.clear()
  managers.set(agent, made)
  return made
}

/** Those of a collection are deleted without a name, as far as admission goes. */
function admittedName({ info }: Call, { operation }: WriteInit, object: Readonly<AnyObject> | undefined): string {
  if (info.verb === 'deletecollection') return ''
  return info.name !== '' && operation !== 'CREATE' ? info.name : (object?.metadata.name ?? info.name)
}

/** What the registry needs for a write, with admission bound to this request. */
export function writeOptions(deps: ApiServerDeps, call: Call, asked: Asked, more: WriteInit): WriteOptions {
  const { ctx, info, kind, user } = call
  const request = (object: AnyObject | undefined, old: Readonly<AnyObject> | undefined) => ({
    operation: more.operation,
    verb: info.verb,
    kind,
    subresource: info.subresource,
    namespace: info.namespace,
    name: admittedName(call, more, object ?? old),
    object: object === undefined ? undefined : (more.as?.of?.(object) ?? object),
    oldObject: old === undefined ? undefined : (more.as?.of?.(old) ?? old),
    ...(more.as === undefined ? {} : { objectKind: more.as.kind }),
    ...(call.annotate === undefined ? {} : { annotate: call.annotate }),
    ...(call.onFailure === undefined ? {} : { onFailure: call.onFailure }),
    options: more.operation === 'CREATE' || more.operation === 'UPDATE' ? optionsOf(more.operation, asked.options) : asked.options,
    dryRun: asked.dryRun,
    user,
    warn: call.warn,
  })
  return {
    env: {
      now: ctx.clock.now(),
      user: user.name,
      groups: user.groups,
      ...(user.uid === undefined ? {} : { uid: user.uid }),
      ...(user.extra === undefined ? {} : { extra: user.extra }),
    },
    subresource: info.subresource,
    dryRun: asked.dryRun,
    admission: {
      mutate: async (object, old) => {
        if (more.operation === 'CREATE' && kind.custom?.terminating === true) {
          throw forbidden({ group: kind.group, resource: kind.plural }, request(object, old).name, 'create not allowed while custom resource definition is terminating')
        }
        const seen = request(object, old)
        await deps.admission.mutate(ctx, seen)
        if (object !== undefined && seen.object !== undefined) more.as?.put?.(seen.object, object)
      },
      validate: async (object, old) =>
        await deps.admission.validate(ctx, request(object as AnyObject | undefined, old)),
    },
    warn: call.warn,
    manager: {
      name: asked.fieldManager,
      operation: more.apply === true ? 'Apply' : 'Update',
      ...(asked.force ? { force: true } : {}),
    },
  }
}

/** Admission knows creates and updates only, whatever way they came. */
function optionsOf(operation: 'CREATE' | 'UPDATE', { force, ...options }: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const kind = operation === 'CREATE' ? 'CreateOptions' : 'UpdateOptions'
  return options['kind'] === kind && force === undefined ? options : { ...options, kind }
}

export interface WriteInit {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'
  readonly apply?: boolean
  readonly as?: ShownAs
}

/** What admission sees as the object where that is not of the kind in the path (Binding, Scale, PodExecOptions). */
export interface ShownAs {
  readonly kind: Target
  /** Of what is stored; where it is left out, what is written is of this kind itself. */
  readonly of?: (object: Readonly<AnyObject>) => AnyObject
  /** Puts what admission made of it into what is to be stored. */
  readonly put?: (shown: Readonly<AnyObject>, object: AnyObject) => void
}

/** List and watch parameters. Throws 400 or 422 as upstream. */
export function listQuery(call: Call): ListQuery {
  const { info } = call
  const { query } = info
  if (query.raw === '') return { namespace: info.namespace, ...(info.name === '' ? {} : { name: info.name }) }
  const resourceVersion = query.get('resourceVersion')
  const match = query.get('resourceVersionMatch') ?? ''
  const token = query.get('continue') ?? ''
  const limit = integer(query, 'limit')
  integer(query, 'timeoutSeconds') // of watches; a number everywhere
  const labelSelector = query.get('labelSelector')
  const fieldSelector = query.get('fieldSelector')
  // Selectors are read before options are judged, and their fields looked up after.
  parseLabelSelector(labelSelector)
  const fields = parseFieldSelector(fieldSelector)
  checkListOptions(call, { resourceVersion: resourceVersion ?? '', match, token, watch: info.verb === 'watch' })
  for (const { field } of fields) checkField(call.kind, field)
  if (token === '' || info.verb === 'watch') checkVersion(resourceVersion ?? '', info.verb === 'watch')
  return {
    namespace: info.namespace,
    ...(info.name === '' ? {} : { name: info.name }),
    ...(labelSelector === undefined || labelSelector === '' ? {} : { labelSelector }),
    ...(fieldSelector === undefined || fieldSelector === '' ? {} : { fieldSelector }),
    ...(limit === undefined || limit <= 0 ? {} : { limit }),
    ...(token === '' ? {} : { continue: token }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    ...(match === '' ? {} : { resourceVersionMatch: match }),
  }
}

interface ListAsked {
  readonly resourceVersion: string
  readonly match: string
  readonly token: string
  readonly watch: boolean
}

/** apimachinery/pkg/apis/meta/internalversion/validation/validation.go. */
function checkListOptions(call: Call, asked: ListAsked): void {
  const initial = call.info.query.get('sendInitialEvents') !== undefined
  const errors = asked.watch ? watchErrors(asked, initial) : listErrors(asked, initial)
  if (errors.length > 0) throw invalid({ group: metaGroup, kind: 'ListOptions' }, '', errors)
}

const matchPath = path('resourceVersionMatch')

function listErrors({ resourceVersion, match, token }: ListAsked, initial: boolean): readonly FieldError[] {
  const errors: FieldError[] = []
  if (match !== '') {
    if (resourceVersion === '') errors.push(forbiddenField(matchPath, 'resourceVersionMatch is forbidden unless resourceVersion is provided'))
    if (token !== '') errors.push(forbiddenField(matchPath, 'resourceVersionMatch is forbidden when continue is provided'))
    if (match !== 'Exact' && match !== 'NotOlderThan') errors.push(unsupportedMatch(match, ['Exact', 'NotOlderThan', '']))
    if (match === 'Exact' && resourceVersion === '0') errors.push(forbiddenField(matchPath, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'))
  }
  if (initial) errors.push(forbiddenField(path('sendInitialEvents'), 'sendInitialEvents is forbidden for list'))
  return errors
}

function watchErrors({ match, token }: ListAsked, initial: boolean): readonly FieldError[] {
  const errors: FieldError[] = []
  if (initial && match !== 'NotOlderThan') errors.push(forbiddenField(matchPath, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'))
  if (match === '') return errors
  if (!initial) errors.push(forbiddenField(matchPath, 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'))
  if (match !== 'NotOlderThan') errors.push(unsupportedMatch(match, ['NotOlderThan']))
  if (token !== '') errors.push(forbiddenField(matchPath, 'resourceVersionMatch is forbidden when continue is provided'))
  return errors
}

function unsupportedMatch(match: string, supported: readonly string[]): FieldError {
  return notSupported(path('resourceVersionMatch'), match, supported)
}

/** What Go's parser of versions says; undefined when it is one. */
export function versionError(text: string): string | undefined {
  return text === '' || /^\d+$/.test(text)
    ? undefined
    : `strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`
}

/** A resourceVersion that is none is a bad request for lists, and an accident for everything else. */
function checkVersion(text: string, watch: boolean): void {
  const why = versionError(text)
  if (why === undefined) return
  const sentence = `resourceVersion: Invalid value: ${JSON.stringify(text)}: ${why}`
  throw watch
    ? new ApiError({ code: 500, reason: '', message: sentence })
    : badRequest(`invalid resource version: ${sentence}`)
}

/** Go's sentence for a number that is none. */
export function integer(query: Query, name: string): number | undefined {
  const text = query.get(name)
  if (text === undefined || text === '') return undefined
  if (!/^[+-]?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
  return Number(text)
}

/** DeleteOptions from the body, or from the query when there is no body. Throws 400, 422. */
export async function deleteOptions(call: Call): Promise<DeleteOptions> {
  const body = await call.payload.options()
  const given = (body ?? fromQuery(call.info.query)) as DeleteOptions
  const errors: FieldError[] = []
  const policy = given.propagationPolicy
  if (given.orphanDependents !== undefined && policy !== undefined) {
    errors.push(
      invalidValue(path('propagationPolicy'), policy, 'orphanDependents and deletionPropagation cannot be both set'),
    )
  }
  if (policy !== undefined && !['Foreground', 'Background', 'Orphan'].includes(policy)) {
    errors.push(notSupported(path('propagationPolicy'), policy, ['Foreground', 'Background', 'Orphan', 'nil']))
  }
  errors.push(...dryRunErrors(given.dryRun ?? []))
  if (errors.length > 0) throw invalid({ group: metaGroup, kind: 'DeleteOptions' }, '', errors)
  return given
}

function fromQuery(query: Query): DeleteOptions {
  if (query.raw === '') return {}
  const graceS = integer(query, 'gracePeriodSeconds')
  const policy = query.get('propagationPolicy')
  const dryRun = query.all('dryRun')
  return {
    ...(graceS === undefined ? {} : { gracePeriodSeconds: graceS }),
    ...(query.get('orphanDependents') === undefined ? {} : { orphanDependents: query.flag('orphanDependents') }),
    ...(policy === undefined ? {} : { propagationPolicy: policy }),
    ...(dryRun.length === 0 ? {} : { dryRun: [...dryRun] }),
  }
}

/** Options of a delete as the rest of a write sees them; dryRun may come in the body or in the query. */
export function askedOfDelete(call: Call, options: DeleteOptions): Asked {
  return {
    dryRun: (options.dryRun ?? []).length > 0,
    fieldValidation: 'Ignore',
    fieldManager: managerOf(call.agent),
    force: false,
    options: { ...options, kind: 'DeleteOptions', apiVersion: `${metaGroup}/v1` },
  }
}
