/** Rules of FlowSchemas: which requests one may speak of, and how (k8s.io/kubernetes/pkg/apis/flowcontrol/validation/validation.go). */
import { equalJson } from '../../lib/json.ts'
import { say, type Errors } from '../checks.ts'
import { duplicate, forbiddenField, invalidValue, notSupported, path, required, type FieldError, type Path } from '../field.ts'
import { defaultNameRule, type StatusRules, type Strategy } from '../kind.ts'
import { dns1123Label, dns1123Subdomain } from '../names.ts'
import type { FlowSchema, FlowSchemaSpec, FlowcontrolV1Subject, NonResourcePolicyRule, PolicyRulesWithSubjects, ResourcePolicyRule } from '../schema/types.ts'
import { exemptName, mandatorySchemas } from './bootstrap.ts'

const precedenceMax = 10_000
const methods = ['ByNamespace', 'ByUser']
const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch']
const subjectKinds = ['Group', 'ServiceAccount', 'User']

export const flowSchemaStrategy: Strategy<FlowSchema> = {
  validateCreate: validate,
  validateUpdate: validate,
}

export const flowSchemaStatus: StatusRules<FlowSchema> = { validateUpdate: (next) => conditions(next.status?.conditions) }

function validate(schema: Readonly<FlowSchema>): readonly FieldError[] {
  const errors: Errors = []
  const at = path('spec')
  const name = schema.metadata.name ?? ''
  const spec: FlowSchemaSpec = schema.spec ?? { priorityLevelConfiguration: { name: '' } }
  validateSpec(errors, name, spec, at)
  const mandatory = mandatorySchemas.find((known) => known.metadata.name === name)
  if (mandatory !== undefined && !equalJson(spec, mandatory.spec)) errors.push(invalidValue(at, spec, `spec of '${name}' must equal the fixed value`))
  return [...errors, ...conditions(schema.status?.conditions)]
}

/** Of both kinds of the group. */
export function conditions(list: readonly { readonly type?: string }[] | undefined): readonly FieldError[] {
  const errors: Errors = []
  const known = new Set<string>()
  list?.forEach(({ type = '' }, i) => {
    const at = path('status', 'conditions').index(i).child('type')
    if (known.has(type)) errors.push(duplicate(at, type))
    known.add(type)
    if (type === '') errors.push(required(at))
  })
  return errors
}

function validateSpec(errors: Errors, name: string, spec: Readonly<FlowSchemaSpec>, at: Path): void {
  const precedence = spec.matchingPrecedence ?? 0
  const here = at.child('matchingPrecedence')
  if (precedence <= 0) errors.push(invalidValue(here, precedence, 'must be a positive value'))
  if (precedence > precedenceMax) errors.push(invalidValue(here, precedence, `must not be greater than ${precedenceMax}`))
  if (precedence === 1 && name !== exemptName) errors.push(invalidValue(here, precedence, "only the schema named 'exempt' may have matchingPrecedence 1"))
  const method = spec.distinguisherMethod
  if (method !== undefined && !methods.includes(method.type)) errors.push(notSupported(at.child('distinguisherMethod', 'type'), { Type: method.type }, methods))
  const level = spec.priorityLevelConfiguration?.name ?? ''
  const reference = at.child('priorityLevelConfiguration', 'name')
  if (level === '') errors.push(required(reference, 'must reference a priority level'))
  else say(errors, reference, level, defaultNameRule(level, false))
  spec.rules?.forEach((rule, i) => policy(errors, rule, at.child('rules').index(i)))
}

function policy(errors: Errors, rule: Readonly<Partial<PolicyRulesWithSubjects>>, at: Path): void {
  const { subjects = [], resourceRules = [], nonResourceRules = [] } = rule
  if (subjects.length === 0) errors.push(required(at.child('subjects'), 'subjects must contain at least one value'))
  subjects.forEach((subject, i) => validateSubject(errors, subject, at.child('subjects').index(i)))
  if (resourceRules.length === 0 && nonResourceRules.length === 0) errors.push(required(at, 'at least one of resourceRules and nonResourceRules has to be non-empty'))
  resourceRules.forEach((one, i) => resourceRule(errors, one, at.child('resourceRules').index(i)))
  nonResourceRules.forEach((one, i) => pathRule(errors, one, at.child('nonResourceRules').index(i)))
}

const fieldOf: Readonly<Record<string, 'serviceAccount' | 'user' | 'group'>> = { ServiceAccount: 'serviceAccount', User: 'user', Group: 'group' }

/** Which other fields are named first, as upstream looks at them. */
const others: Readonly<Record<string, readonly string[]>> = { ServiceAccount: ['User', 'Group'], User: ['ServiceAccount', 'Group'], Group: ['ServiceAccount', 'User'] }

function validateSubject(errors: Errors, subject: Readonly<FlowcontrolV1Subject>, at: Path): void {
  const { kind } = subject
  const field = fieldOf[kind]
  if (field === undefined) {
    errors.push(notSupported(at.child('kind'), kind, subjectKinds))
    return
  }
  const named = subject[field]
  if (named === undefined) errors.push(required(at.child(field), `${field} is required when subject kind is '${kind}'`))
  else if (field === 'serviceAccount') account(errors, named as { name: string; namespace: string }, at.child(field))
  else if ((named.name ?? '') === '') errors.push(required(at.child(field, 'name')))
  for (const other of others[kind] ?? []) {
    const unwanted = fieldOf[other] ?? 'user'
    if (subject[unwanted] !== undefined) errors.push(forbiddenField(at.child(unwanted), `${unwanted} is forbidden when subject kind is not '${other}'`))
  }
}

function account(errors: Errors, { name = '', namespace = '' }: { readonly name?: string; readonly namespace?: string }, at: Path): void {
  if (name === '') errors.push(required(at.child('name')))
  else if (name !== '*') say(errors, at.child('name'), name, dns1123Subdomain(name))
  if (namespace === '') errors.push(required(at.child('namespace'), 'must specify namespace for service account'))
  else say(errors, at.child('namespace'), namespace, dns1123Label(namespace))
}

function verbsOf(errors: Errors, named: readonly string[], at: Path): void {
  if (named.length === 0) errors.push(required(at, 'verbs must contain at least one value'))
  else if (named.includes('*')) alone(errors, named, at, 'verbs')
  else if (!named.every((verb) => verbs.includes(verb))) errors.push(notSupported(at, named, verbs))
}

function alone(errors: Errors, named: readonly string[], at: Path, what: string): void {
  if (named.length > 1 && named.includes('*')) errors.push(invalidValue(at, named, `if '*' is present, must not specify other ${what}`))
}

function pathRule(errors: Errors, { verbs: named = [], nonResourceURLs: urls = [] }: Readonly<Partial<NonResourcePolicyRule>>, at: Path): void {
  verbsOf(errors, named, at.child('verbs'))
  const here = at.child('nonResourceURLs')
  if (urls.length === 0) errors.push(required(here, 'nonResourceURLs must contain at least one value'))
  else if (urls.includes('*')) alone(errors, urls, here, 'non-resource URLs')
  else {
    urls.forEach((url, i) => {
      const wrong = urlError(url)
      if (wrong !== undefined) errors.push(invalidValue(here.index(i), url, wrong))
    })
  }
}

function urlError(url: string): string | undefined {
  if (url === '') return 'must not be empty'
  if (url === '/') return undefined
  if (!url.startsWith('/')) return 'must start with slash'
  if (url.includes(' ')) return 'must not contain white-space'
  if (url.includes('//')) return 'must not contain double slash'
  const wildcards = url.split('*').length - 1
  return wildcards > 1 || (wildcards === 1 && !url.endsWith('/*')) ? 'wildcard can only do suffix matching' : undefined
}

function resourceRule(errors: Errors, rule: Readonly<Partial<ResourcePolicyRule>>, at: Path): void {
  const { verbs: named = [], apiGroups = [], resources = [], namespaces = [], clusterScope = false } = rule
  verbsOf(errors, named, at.child('verbs'))
  if (apiGroups.length === 0) errors.push(required(at.child('apiGroups'), 'resource rules must supply at least one api group'))
  else alone(errors, apiGroups, at.child('apiGroups'), 'api groups')
  if (resources.length === 0) errors.push(required(at.child('resources'), 'resource rules must supply at least one resource'))
  else alone(errors, resources, at.child('resources'), 'resources')
  const here = at.child('namespaces')
  if (namespaces.length === 0 && !clusterScope) errors.push(required(here, 'resource rules that are not cluster scoped must supply at least one namespace'))
  else if (namespaces.includes('*')) alone(errors, namespaces, here, 'namespaces')
  else namespaces.forEach((namespace, i) => say(errors, here.index(i), namespace, dns1123Label(namespace).map((wrong) => `each member of this list must be '*' or a DNS-1123 label; ${wrong}`)))
}
