/**
 * The scale subresource: an object's replica count as autoscaling/v1 Scale, where the kind says it is. Reads, PUT and
 * patches; the object's other fields are never touched.
 */
import { badRequest, internal, invalid } from '../../api/errors.ts'
import { invalidValue, path } from '../../api/field.ts'
import type { ScaleRules } from '../../api/kind.ts'
import type { AnyObject } from '../../api/meta.ts'
import { cloneJson } from '../../lib/json.ts'
import type { ApiServerDeps, Call, Outcome } from '../deps.ts'
import { askedOf, writeOptions, type Asked } from './options.ts'
import { applyPatchBody, patchAsked, readPatch } from './patch.ts'
import { checkName, checkNamespace, keyOf } from './write.ts'

const scaleTarget = { group: 'autoscaling', version: 'v1', kind: 'Scale' } as const

export async function scaleVerb(deps: ApiServerDeps, call: Call): Promise<Outcome> {
  const rules = call.kind.scale
  if (rules === undefined) throw new Error(`${call.kind.plural} has no scale`)
  if (call.info.verb === 'get') {
    const item = await deps.registry.get(call.ctx, call.kind, keyOf(call))
    if (call.kind.custom !== undefined && read(item.object, rules.specReplicas) === undefined) {
      throw internal(`the spec replicas field ${replicasPath(rules)} does not exist`)
    }
    return { type: 'object', code: 200, object: scaleOf(item.object, rules) }
  }
  if (call.info.verb === 'update') {
    const asked = askedOf('UpdateOptions', call.info.query, call.agent)
    const sent = await call.payload.object(scaleTarget, call, asked.fieldValidation)
    checkNamespace(call, sent)
    checkName(call, sent)
    return await write(deps, call, { rules, asked, next: () => sent })
  }
  const patch = await call.payload.patch()
  const asked = patchAsked(call, patch.type)
  const { document, problems } = await readPatch(call, patch, asked)
  return await write(deps, call, {
    rules,
    asked,
    next: (current) => applyPatchBody(call, { type: patch.type, document: cloneJson(document), problems, asked, target: scaleTarget, live: cloneJson(current) }),
  })
}

interface ScaleWrite {
  readonly rules: ScaleRules
  readonly asked: Asked
  readonly next: (current: AnyObject) => AnyObject
}

/** Stands where a custom object has no number, to tell a patch that gives it none. */
const unsetReplicas = -(2 ** 31)

async function write(deps: ApiServerDeps, call: Call, { rules, asked, next }: ScaleWrite): Promise<Outcome> {
  const change = (current: AnyObject | undefined): AnyObject => {
    const object = current as AnyObject
    const before = scaleOf(object, rules)
    const unset = call.kind.custom !== undefined && call.info.verb === 'patch' && read(object, rules.specReplicas) === undefined
    if (unset) put(before, 'spec.replicas', unsetReplicas)
    const scale = next(before)
    checkName(call, scale)
    if (unset && read(scale, 'spec.replicas') === unsetReplicas) {
      throw badRequest(`the spec replicas field ${replicasPath(rules)} cannot be empty`)
    }
    const replicas = read(scale, 'spec.replicas') ?? 0
    // Custom kinds check the place that it goes to.
    if (typeof replicas !== 'number' || (replicas < 0 && call.kind.custom === undefined)) {
      throw invalid(scaleTarget, call.info.name, [
        invalidValue(path('spec', 'replicas'), replicas, 'must be greater than or equal to 0'),
      ])
    }
    put(object, rules.specReplicas, replicas)
    const version = scale.metadata.resourceVersion ?? ''
    if (version !== '' && version !== before.metadata.resourceVersion) object.metadata.resourceVersion = version
    return object
  }
  const { item } = await deps.registry.update(
    call.ctx,
    call.kind,
    keyOf(call),
    change,
    writeOptions(deps, call, asked, {
      operation: 'UPDATE',
      as: {
        kind: scaleTarget,
        of: (object) => scaleOf(object, rules),
        put: (scale, object) => put(object, rules.specReplicas, read(scale, 'spec.replicas') ?? 0),
      },
    }),
  )
  return { type: 'object', code: 200, object: scaleOf(item.object, rules) }
}

/** As definitions write it. */
function replicasPath({ specReplicas }: ScaleRules): string {
  return JSON.stringify(`.${specReplicas}`)
}

function scaleOf(object: Readonly<AnyObject>, rules: ScaleRules): AnyObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  const replicas = read(object, rules.specReplicas)
  const selector = rules.selector === undefined ? '' : selectorText(read(object, rules.selector))
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: JSON.parse(
      JSON.stringify({ name, namespace, uid, resourceVersion, creationTimestamp }),
    ) as AnyObject['metadata'],
    spec: replicas === undefined || replicas === 0 ? {} : { replicas },
    status: { replicas: read(object, rules.statusReplicas) ?? 0, ...(selector === '' ? {} : { selector }) },
  }
}

function read(object: Readonly<Record<string, unknown>> | AnyObject, dotted: string): unknown {
  let value: unknown = object
  for (const step of dotted.replace(/^\./, '').split('.'))
    value = (value as Record<string, unknown> | undefined)?.[step]
  return value
}

function put(object: AnyObject, dotted: string, value: unknown): void {
  const steps = dotted.replace(/^\./, '').split('.')
  const last = steps.pop() ?? ''
  let at: Record<string, unknown> = object
  for (const step of steps) at = (at[step] ??= {}) as Record<string, unknown>
  at[last] = value
}

interface Requirement {
  readonly key: string
  readonly operator: string
  readonly values?: readonly string[]
}

/** A LabelSelector, a label map or selector syntax, as selector syntax (metav1.FormatLabelSelector). */
function selectorText(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value !== 'object' || value === null) return ''
  const { matchLabels, matchExpressions, ...rest } = value as {
    matchLabels?: Record<string, string>
    matchExpressions?: readonly Requirement[]
  }
  const labels = Object.entries(matchLabels ?? (matchExpressions === undefined ? (rest as Record<string, string>) : {}))
  const parts = labels.map(([key, label]): readonly [string, string] => [key, `${key}=${label}`])
  for (const { key, operator, values = [] } of matchExpressions ?? []) {
    if (operator === 'Exists') parts.push([key, key])
    else if (operator === 'DoesNotExist') parts.push([key, `!${key}`])
    else parts.push([key, `${key} ${operator === 'In' ? 'in' : 'notin'} (${[...values].toSorted().join(',')})`])
  }
  return parts
    .toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, text]) => text)
    .join(',')
}
