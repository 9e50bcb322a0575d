/** Rules of roles and bindings (k8s.io/kubernetes/pkg/apis/rbac/validation/validation.go). */
import { labelSelector, readSelector, say, type Errors } from '../checks.ts'
import { equalJson } from '../../lib/json.ts'
import { invalidValue, notSupported, path, required, type Path } from '../field.ts'
import type { Strategy } from '../kind.ts'
import { dns1123Subdomain, pathSegment } from '../names.ts'
import type { ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject } from '../schema/types.ts'

const group = 'rbac.authorization.k8s.io'

function rules(errors: Errors, list: readonly Readonly<PolicyRule>[], namespaced: boolean): void {
  list.forEach((rule, i) => {
    const here = path('rules').index(i)
    const urls = rule.nonResourceURLs ?? []
    const some = (values: readonly string[] | undefined): boolean => (values ?? []).length > 0
    if (!some(rule.verbs)) errors.push(required(here.child('verbs'), 'verbs must contain at least one value'))
    if (urls.length > 0) {
      if (namespaced) errors.push(invalidValue(here.child('nonResourceURLs'), urls, 'namespaced rules cannot apply to non-resource URLs'))
      if (some(rule.apiGroups) || some(rule.resources) || some(rule.resourceNames)) {
        errors.push(invalidValue(here.child('nonResourceURLs'), urls, 'rules cannot apply to both regular resources and non-resource URLs'))
      }
      return
    }
    if (!some(rule.apiGroups)) errors.push(required(here.child('apiGroups'), 'resource rules must supply at least one api group'))
    if (!some(rule.resources)) errors.push(required(here.child('resources'), 'resource rules must supply at least one resource'))
  })
}

function validateRole(role: Readonly<Role>): Errors {
  const errors: Errors = []
  rules(errors, role.rules ?? [], true)
  return errors
}

function validateClusterRole(role: Readonly<ClusterRole>): Errors {
  const errors: Errors = []
  rules(errors, role.rules ?? [], false)
  const at = path('aggregationRule', 'clusterRoleSelectors')
  if (role.aggregationRule === undefined) return errors
  const selectors = role.aggregationRule.clusterRoleSelectors ?? []
  if (selectors.length === 0) errors.push(required(at, 'at least one clusterRoleSelector required if aggregationRule is non-nil'))
  selectors.forEach((selector, i) => {
    labelSelector(errors, selector, at.index(i))
    if (readSelector(selector) === undefined) errors.push(invalidValue(at.index(i), null, 'invalid label selector.'))
  })
  return errors
}

interface Binding {
  readonly roleRef: Readonly<RoleRef>
  readonly subjects?: readonly Readonly<Subject>[]
}

function validateBinding(binding: Readonly<Binding>, namespaced: boolean): Errors {
  const errors: Errors = []
  const { apiGroup, kind, name } = binding.roleRef
  const at = path('roleRef')
  const roles = namespaced ? ['Role', 'ClusterRole'] : ['ClusterRole']
  if (apiGroup !== group) errors.push(notSupported(at.child('apiGroup'), apiGroup, [group]))
  if (!roles.includes(kind)) errors.push(notSupported(at.child('kind'), kind, roles))
  if (name === '') errors.push(required(at.child('name')))
  else say(errors, at.child('name'), name, pathSegment(name, false))
  binding.subjects?.forEach((one, i) => subject(errors, one, namespaced, path('subjects').index(i)))
  return errors
}

function subject(errors: Errors, of: Readonly<Subject>, namespaced: boolean, at: Path): void {
  const { kind, name, apiGroup = '', namespace = '' } = of
  if (name === '') errors.push(required(at.child('name')))
  if (kind === 'ServiceAccount') {
    if (name !== '') say(errors, at.child('name'), name, dns1123Subdomain(name))
    if (apiGroup !== '') errors.push(notSupported(at.child('apiGroup'), apiGroup, ['']))
    if (!namespaced && namespace === '') errors.push(required(at.child('namespace')))
  } else if (kind === 'User' || kind === 'Group') {
    if (apiGroup !== group) errors.push(notSupported(at.child('apiGroup'), apiGroup, [group]))
  } else {
    errors.push(notSupported(at.child('kind'), kind, ['ServiceAccount', 'User', 'Group']))
  }
}

/** What a binding grants is said once: whoever may change the role could raise the rights of its subjects. */
function sameRole(errors: Errors, next: Readonly<Binding>, prev: Readonly<Binding>): Errors {
  const { apiGroup, kind, name } = next.roleRef
  if (!equalJson(next.roleRef, prev.roleRef)) errors.push(invalidValue(path('roleRef'), { APIGroup: apiGroup, Kind: kind, Name: name }, 'cannot change roleRef'))
  return errors
}

export const roleStrategy: Strategy<Role> = { validateCreate: validateRole, validateUpdate: validateRole }
export const clusterRoleStrategy: Strategy<ClusterRole> = { validateCreate: validateClusterRole, validateUpdate: validateClusterRole }
export const roleBindingStrategy: Strategy<RoleBinding> = {
  validateCreate: (binding) => validateBinding(binding, true),
  validateUpdate: (next, prev) => sameRole(validateBinding(next, true), next, prev),
}
export const clusterRoleBindingStrategy: Strategy<ClusterRoleBinding> = {
  validateCreate: (binding) => validateBinding(binding, false),
  validateUpdate: (next, prev) => sameRole(validateBinding(next, false), next, prev),
}
