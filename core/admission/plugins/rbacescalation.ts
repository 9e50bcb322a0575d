/**
 * RBACEscalation: nobody hands out more than they hold. Who writes a role must hold its rules or may escalate; who binds one must
 * hold its rules or may bind it (pkg/registry/rbac: upstream checks this in the registry of these kinds).
 */
import { isDeepStrictEqual } from 'node:util'
import { badRequest, notFound, type ApiError } from '../../api/errors.ts'
import type { ClusterRole, ClusterRoleBinding, PolicyRule, RoleRef } from '../../api/schema/types.ts'
import { mastersGroup } from '../../auth/authz/authorizers.ts'
import { objectOf, oldObjectOf, refuse, type AdmissionDeps } from '../deps.ts'
import type { AdmissionPlugin, AdmissionRequest } from '../plugin.ts'

const group = 'rbac.authorization.k8s.io'
const everything: readonly PolicyRule[] = [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }, { nonResourceURLs: ['*'], verbs: ['*'] }]
const roleKinds = new Set(['roles', 'clusterroles'])
const bindingKinds = new Set(['rolebindings', 'clusterrolebindings'])

export function rbacEscalation(deps: AdmissionDeps): AdmissionPlugin {
  return {
    name: 'RBACEscalation',
    handles: (request) => request.kind.group === group && request.subresource === ''
      && (request.operation === 'CREATE' || request.operation === 'UPDATE')
      && (roleKinds.has(request.kind.plural) || bindingKinds.has(request.kind.plural)),
    async validate(_ctx, request) {
      if (request.user.groups.includes(mastersGroup) || onlyForCollection(request)) return undefined
      return roleKinds.has(request.kind.plural) ? await roleRefusal(deps, request) : await bindingRefusal(deps, request)
    },
  }
}

async function roleRefusal(deps: AdmissionDeps, request: AdmissionRequest): Promise<ApiError | undefined> {
  if (await may(deps, request, 'escalate', request.kind.plural, request.name)) return undefined
  const role = objectOf<ClusterRole>(request)
  const why = deps.rbac.escalation(request.user, request.namespace, role.rules ?? [])
  if (why !== undefined) return refuse(request, why)
  const gathers = (r: Readonly<ClusterRole> | undefined): boolean => (r?.aggregationRule?.clusterRoleSelectors ?? []).length > 0
  const old = request.operation === 'UPDATE' ? oldObjectOf<ClusterRole>(request) : undefined
  if (!gathers(role) && !gathers(old)) return undefined
  // an aggregation rule can gather anything, now or later
  return deps.rbac.escalation(request.user, '', everything) === undefined ? undefined
    : refuse(request, 'must have cluster-admin privileges to use the aggregationRule')
}

async function bindingRefusal(deps: AdmissionDeps, request: AdmissionRequest): Promise<ApiError | undefined> {
  const ref = objectOf<ClusterRoleBinding>(request).roleRef
  const plural = plurals[ref.kind]
  if (plural === undefined) return badRequest(`unsupported role reference kind: ${JSON.stringify(ref.kind)}`)
  if (await may(deps, request, 'bind', plural, ref.name)) return undefined
  const rules = deps.rbac.rulesOf(ref as RoleRef, request.namespace)
  // the request's own resource, not the role's: so says upstream
  if (typeof rules === 'string') return notFound({ group, resource: request.kind.plural }, ref.name)
  const why = deps.rbac.escalation(request.user, request.namespace, rules)
  return why === undefined ? undefined : refuse(request, why)
}

const plurals: Readonly<Record<string, string>> = { Role: 'roles', ClusterRole: 'clusterroles' }

async function may(deps: AdmissionDeps, request: AdmissionRequest, verb: string, resource: string, name: string): Promise<boolean> {
  const asked = { type: 'resource', user: request.user, verb, group, version: '*', resource, subresource: '', namespace: request.namespace, name } as const
  return (await deps.authorizer.authorize(asked)).answer === 'allow'
}

/** The garbage collector changes owner references and finalizers of objects whose rights it does not hold. */
function onlyForCollection(request: AdmissionRequest): boolean {
  if (request.operation !== 'UPDATE') return false
  const bare = (o: AdmissionRequest['oldObject']): unknown => {
    const { ownerReferences: _o, finalizers: _f, managedFields: _m, resourceVersion: _r, generation: _g, ...metadata } = o?.metadata ?? {}
    return { ...o, metadata }
  }
  return isDeepStrictEqual(bare(request.object), bare(request.oldObject))
}
