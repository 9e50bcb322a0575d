/**
 * What is wrong with a validating policy's expressions once the types of the objects are known that it is about
 * (k8s.io/apiserver/pkg/admission/plugin/policy/validating/typechecking.go). It changes nothing of what the policy does.
 */
import { environment } from '../cel/cel.ts'
import { dyn, type CelType } from '../cel/type.ts'
import type { Kind } from '../kind.ts'
import { parseApiVersion } from '../meta.ts'
import type { ExpressionWarning, NamedRuleWithOperations, ValidatingAdmissionPolicy, Variable } from '../schema/types.ts'
import { admissionVariables, kubernetesLibraries } from './expressions.ts'
import { objectTypeOf } from './objecttypes.ts'
import { VariableTypes } from './policycompiler.ts'

/** Kinds of one rule that are looked at. */
const kindsMax = 10

export function typeWarnings({ spec = {} }: Readonly<ValidatingAdmissionPolicy>, served: readonly Kind[]): readonly ExpressionWarning[] {
  const kinds = kindsOf(spec.matchConstraints?.resourceRules ?? [], served)
  const params = spec.paramKind === undefined ? undefined : paramType(spec.paramKind, served)
  const check = (text: string): string => kinds.flatMap((kind) => problem(kind, text, { params, variables: spec.variables ?? [] }) ?? []).join('\n')
  return (spec.validations ?? []).flatMap(({ expression, messageExpression = '' }, i) => [
    { fieldRef: `spec.validations[${i}].expression`, warning: check(expression) },
    { fieldRef: `spec.validations[${i}].messageExpression`, warning: messageExpression === '' ? '' : check(messageExpression) },
  ].filter(({ warning }) => warning !== ''))
}

interface Typed {
  readonly params: CelType | undefined
  readonly variables: readonly Readonly<Variable>[]
}

function problem(kind: Kind, text: string, { params, variables }: Typed): string | undefined {
  const object = objectTypeOf(kind)
  if (object === undefined) return undefined
  const { authorizer, ...known } = admissionVariables({ authorizer: true })
  const types = new VariableTypes()
  const env = environment({
    libraries: kubernetesLibraries,
    variables: {
      // Upstream forgets about authorizer.requestResource here, and warns of it.
      ...Object.fromEntries(Object.entries(known).filter(([name]) => name !== 'authorizer.requestResource')),
      ...(authorizer === undefined ? {} : { authorizer }),
      object, oldObject: object, variables: types.type,
      ...(params === undefined ? {} : { params }),
    },
  })
  for (const { name, expression } of variables) {
    const compiled = env.compile(expression)
    types.add(name, compiled.ok ? compiled.compiled.type : undefined)
  }
  const compiled = env.compile(text)
  if (compiled.ok || compiled.stage !== 'check') return undefined
  return `${kind.group}/${kind.version}, Kind=${kind.kind}: ${compiled.text}\n`
}

function paramType({ apiVersion = '', kind = '' }: { readonly apiVersion?: string; readonly kind?: string }, served: readonly Kind[]): CelType {
  const { group, version } = parseApiVersion(apiVersion)
  const found = served.find((one) => one.kind === kind && one.group === group && one.version === version)
  return (found === undefined ? undefined : objectTypeOf(found)) ?? dyn
}

/** Those that rules name, without wildcards, in order. */
function kindsOf(rules: readonly Readonly<NamedRuleWithOperations>[], served: readonly Kind[]): readonly Kind[] {
  const found = new Map<string, Kind>()
  for (const rule of rules) {
    let count = 0
    for (const kind of namedBy(rule, served)) {
      found.set(`${kind.group}\0${kind.version}\0${kind.kind}`, kind)
      if (++count === kindsMax) return inOrder(found)
    }
  }
  return inOrder(found)
}

function inOrder(found: ReadonlyMap<string, Kind>): readonly Kind[] {
  return [...found].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, kind]) => kind)
}

function namedBy({ apiGroups = [], apiVersions = [], resources = [] }: Readonly<NamedRuleWithOperations>, served: readonly Kind[]): readonly Kind[] {
  if ([...apiGroups, ...apiVersions].some((text) => text.includes('*'))) return []
  const plain = resources.filter((resource) => !/[*/]/.test(resource)).toSorted()
  return apiGroups.toSorted().flatMap((group) => apiVersions.toSorted().flatMap((version) => plain.flatMap((resource) => served.filter((kind) => isNamed(kind, group, version, resource)))))
}

/** As a mapper finds them: without a group, in every one. */
function isNamed(kind: Kind, group: string, version: string, resource: string): boolean {
  const wanted = resource.toLowerCase()
  return (group === '' || kind.group === group) && kind.version === version && (kind.plural === wanted || kind.singular === wanted)
}
