/**
 * Expressions about requests: which variables match conditions and policies have, and how what does not compile is told
 * (k8s.io/apiserver/pkg/admission/plugin/cel/compile.go). Values of the variables are admission/expressions.ts.
 */
import { environment, type Compiled, type Environment } from '../cel/cel.ts'
import { kubernetesLibraries, mutatingLibraries } from '../cel/environments.ts'
import { authorizerType, resourceCheckType } from '../cel/library/authorizer.ts'
import { bool, dyn, int, list, map, string, timestamp, type CelType, type FieldType, type ObjectType } from '../cel/type.ts'
import { parameters, typeName } from '../cel/typing.ts'
import { FieldError, invalidValue, type Path } from '../field.ts'

export interface VariablesInit {
  /** There is a `params`. */
  readonly params?: boolean
  /** There is an `authorizer`. */
  readonly authorizer?: boolean
}

type Fields = Readonly<Record<string, CelType>>

function object(name: string, required: Fields, optional: Fields = {}): ObjectType {
  const fields = new Map<string, FieldType>([
    ...Object.entries(required).map(([field, type]): [string, FieldType] => [field, { type, jsonName: field }]),
    ...Object.entries(optional).map(([field, type]): [string, FieldType] => [field, { type, jsonName: field, optional: true }]),
  ])
  return { kind: 'object', name, field: (field) => fields.get(field), fieldNames: () => [...fields.keys()] }
}

const strings = list(string)
const labels = map(string, string)
const gvk = object('kubernetes.GroupVersionKind', { group: string, version: string, kind: string })
const gvr = object('kubernetes.GroupVersionResource', { group: string, version: string, resource: string })

/** An admission.k8s.io/v1 AdmissionRequest without its uid and objects. */
export const requestType: ObjectType = object(
  'kubernetes.AdmissionRequest',
  {
    kind: gvk, resource: gvr, requestKind: gvk, requestResource: gvr, name: string, operation: string,
    userInfo: object('kubernetes.UserInfo', {}, { username: string, uid: string, groups: strings, extra: map(string, strings) }),
  },
  { subResource: string, requestSubResource: string, namespace: string, dryRun: bool, options: dyn },
)

export const namespaceType: ObjectType = object('kubernetes.Namespace', {
  metadata: object('kubernetes.NamespaceMetadata', {
    name: string, generateName: string, namespace: string, labels, annotations: labels, UID: string, creationTimestamp: timestamp,
    deletionGracePeriodSeconds: int, deletionTimestamp: timestamp, generation: int, resourceVersion: string, finalizers: strings,
  }),
  spec: object('kubernetes.NamespaceSpec', { finalizers: strings }),
  status: object('kubernetes.NamespaceStatus', {
    conditions: list(object('kubernetes.NamespaceCondition', { status: string, type: string, lastTransitionTime: timestamp, message: string, reason: string })),
    phase: string,
  }),
})

export function admissionVariables({ params, authorizer }: VariablesInit): Fields {
  return {
    object: dyn,
    oldObject: dyn,
    namespaceObject: namespaceType,
    request: requestType,
    ...(params === true ? { params: dyn } : {}),
    ...(authorizer === true ? { authorizer: authorizerType, 'authorizer.requestResource': resourceCheckType } : {}),
  }
}

const made = new Map<string, Environment>()

/** Without variables of one's own: made once. */
export function admissionEnvironment(init: VariablesInit): Environment {
  const id = `${init.params === true}/${init.authorizer === true}`
  const known = made.get(id) ?? environment({ libraries: kubernetesLibraries, variables: admissionVariables(init) })
  made.set(id, known)
  return known
}

export { kubernetesLibraries, mutatingLibraries }

export type CompiledExpression = { readonly ok: true; readonly compiled: Compiled } | { readonly ok: false; readonly internal: boolean; readonly detail: string }

/** The expression, if what comes of it is of one of these types; without types, whatever comes of it. */
export function compileExpression(env: Environment, text: string, results: readonly CelType[] | undefined): CompiledExpression {
  const compilation = env.compile(text)
  if (!compilation.ok) {
    const planned = compilation.stage === 'plan'
    return { ok: false, internal: planned, detail: `${planned ? 'program instantiation' : 'compilation'} failed: ${compilation.text}` }
  }
  if (results === undefined) return compilation
  const have = fullName(compilation.compiled.type)
  const want = results.map(fullName)
  if (want.includes(have)) return compilation
  const wanted = want.length === 1 ? `${want[0]}` : `one of [${want.join(' ')}]`
  return { ok: false, internal: false, detail: `must evaluate to ${wanted} but got ${have}` }
}

/** With the names that types have at run time (cel-go: Type.String()). */
function fullName(type: CelType): string {
  const inner = parameters(type)
  return inner.length === 0 ? typeName(type) : `${typeName(type)}(${inner.map(fullName).join(', ')})`
}

/** As upstream tells of it where the expression is written. */
export function expressionError(failed: CompiledExpression & { readonly ok: false }, text: string, at: Path): FieldError {
  return failed.internal ? new FieldError('InternalError', at, '', failed.detail) : invalidValue(at, text, failed.detail)
}
