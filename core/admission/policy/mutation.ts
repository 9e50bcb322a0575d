/**
 * What a mutating policy makes of an object: configurations that are merged into it as server-side apply merges them, and
 * JSON patches (k8s.io/apiserver/pkg/admission/plugin/policy/mutating/patch).
 */
import { PolicyCompiler } from '../../api/admissionregistration/policycompiler.ts'
import { configurationType, isConfiguration, jsonPatchesType, misnamed } from '../../api/admissionregistration/patchtypes.ts'
import type { CompiledExpression } from '../../api/admissionregistration/expressions.ts'
import { toJson } from '../../api/cel/json.ts'
import { CelError, ListValue, ObjectValue, type Value } from '../../api/cel/value.ts'
import type { Kind } from '../../api/kind.ts'
import { apiVersionOf, type AnyObject } from '../../api/meta.ts'
import { atomicPlaces } from '../../api/patch/atomic.ts'
import { PatchFailed, patched, type Operation } from '../../api/patch/json.ts'
import { objectTypeOf, type MergeType } from '../../api/patch/mergetype.ts'
import { mergeValues } from '../../api/patch/typed.ts'
import { validateTyped } from '../../api/patch/validate.ts'
import { definitionOf } from '../../api/schema/schema.ts'
import type { MutatingAdmissionPolicy, Mutation } from '../../api/schema/types.ts'
import { bindingsOf, outOfBudget, type ExpressionInput } from '../expressions.ts'
import type { Match } from '../match.ts'
import type { GroupVersionKind } from '../plugin.ts'
import { compileConditions, type Conditions } from '../webhook/conditions.ts'
import { asShown } from '../webhook/review.ts'
import { exhausted, Run } from './run.ts'

export interface Mutator {
  readonly variables: ReadonlyMap<string, CompiledExpression>
  readonly conditions: Conditions | undefined
  readonly mutations: readonly CompiledMutation[]
  readonly reinvoked: boolean
}

interface CompiledMutation {
  readonly type: 'ApplyConfiguration' | 'JSONPatch'
  readonly text: string
  readonly expression: CompiledExpression
}

export function compileMutator({ spec = {} }: Readonly<MutatingAdmissionPolicy>): Mutator {
  const params = spec.paramKind !== undefined
  const compiler = new PolicyCompiler({ params })
  for (const { name, expression } of spec.variables ?? []) compiler.variable(name, expression)
  return {
    variables: compiler.variables,
    conditions: compileConditions(spec.matchConditions ?? [], { ignoresFailure: spec.failurePolicy === 'Ignore', params }),
    mutations: (spec.mutations ?? []).flatMap((mutation) => compileMutation(mutation, compiler) ?? []),
    reinvoked: spec.reinvocationPolicy === 'IfNeeded',
  }
}

function compileMutation({ patchType, applyConfiguration, jsonPatch }: Readonly<Mutation>, compiler: PolicyCompiler): CompiledMutation | undefined {
  const type = patchType === 'JSONPatch' ? patchType : 'ApplyConfiguration'
  const text = (type === 'JSONPatch' ? jsonPatch : applyConfiguration)?.expression
  if (text === undefined) return undefined
  return { type, text, expression: compiler.compile(text, [type === 'JSONPatch' ? jsonPatchesType : configurationType], { patches: true }) }
}

/** How the object's parts merge; undefined: upstream's OpenAPI does not publish it with its version's resources (Scale, Eviction, options of connections). */
function mergeTypeOf(kind: Kind, as: GroupVersionKind): MergeType | undefined {
  if (kind.custom !== undefined && kind.kind === as.kind) return kind.custom.type.type
  if (as.group !== kind.group || as.version !== kind.version || definitionOf(as.group, as.version, as.kind) === undefined) return undefined
  return objectTypeOf(as.kind === kind.kind ? kind : { ...as, plural: '', namespaced: false }).type
}

/** As JSON: not yet decoded, without defaults. Text: why it fails. */
export async function mutate(mutation: CompiledMutation, variables: Mutator['variables'], input: ExpressionInput): Promise<{ readonly made: unknown } | string> {
  if (!mutation.expression.ok) return mutation.expression.detail
  const result = await new Run(bindingsOf(input), variables).evaluate(mutation.expression, mutation.text)
  if (result === exhausted) return outOfBudget
  if ('error' in result) return result.error
  const object = asShown(input.object as Readonly<AnyObject>, input.match)
  try {
    return mutation.type === 'JSONPatch' ? applyPatch(object, result.value) : applyConfiguration(object, result.value, input.match)
  } catch (error) {
    if (error instanceof CelError || error instanceof PatchFailed) return error.message
    throw error
  }
}

function applyConfiguration(object: Readonly<AnyObject>, value: Value, { as, kind }: Match): { readonly made: unknown } | string {
  if (!isConfiguration(value)) return 'unsupported return type from ApplyConfiguration expression'
  const wrong = misnamed(value)
  if (wrong.length > 0) return `type mismatch: ${wrong.join('\n')}`
  const configuration = { ...(toJson(value) as object), apiVersion: apiVersionOf(kind), kind: kind.kind }
  const type = mergeTypeOf(as, kind)
  const unfit = type === undefined ? `no corresponding type for ${kind.group}/${kind.version}, Kind=${kind.kind}` : validateTyped(type, configuration, 'refused')
  if (type === undefined || unfit !== undefined) return `error applying patch: failed to convert patch object to typed object: ${unfit}`
  const atomic = atomicPlaces(type, configuration)
  if (atomic.length > 0) return `error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${atomic.join(', ')}`
  return { made: structuredClone(mergeValues(type, object, configuration)) }
}

/** A test that fails leaves the object as it is. */
function applyPatch(object: Readonly<AnyObject>, value: Value): { readonly made: unknown } | string {
  const operations: Operation[] = []
  for (const one of value instanceof ListValue ? Array.from({ length: value.size }, (_, i) => value.at(i)) : []) {
    const operation = operationOf(one)
    if (typeof operation === 'string') return operation
    operations.push(operation)
  }
  try {
    return { made: patched(object, operations) }
  } catch (error) {
    if (!(error instanceof PatchFailed)) throw error
    return error.message.endsWith(': test failed') ? { made: structuredClone(object) } : `JSON Patch: ${error.message}`
  }
}

function operationOf(value: Value): Operation | string {
  if (!(value instanceof ObjectValue)) return 'type mismatch: JSONPatchType.expression should evaluate to array of JSONPatch'
  const text = (field: string): string => {
    const said = value.get(field)
    return typeof said === 'string' ? said : ''
  }
  const given = value.get('value')
  const wrong = given !== undefined && isConfiguration(given) ? misnamed(given, given.type.name) : []
  if (wrong.length > 0) return `type mismatch: ${wrong.join('\n')}`
  try {
    return { op: text('op'), path: text('path'), from: text('from') || undefined, value: given === undefined ? undefined : toJson(given) }
  } catch (error) {
    if (!(error instanceof CelError)) throw error
    return `JSONPath valueExpression evaluated to a type that could not marshal to JSON: ${error.message}`
  }
}
