/**
 * PolicyParams: whoever makes policies read objects must be allowed to read them. A policy needs `get` on all of its
 * paramKind, a binding `get` or `list` on what its paramRef names (pkg/registry/admissionregistration: upstream checks
 * this in the registry of these kinds).
 */
import { equalJson } from '../../lib/json.ts'
import { invalid, type ApiError } from '../../api/errors.ts'
import { forbiddenField, path } from '../../api/field.ts'
import { mutatingAdmissionPolicies } from '../../api/admissionregistration/mutatingadmissionpolicy.ts'
import { validatingAdmissionPolicies } from '../../api/admissionregistration/validatingadmissionpolicy.ts'
import { parseApiVersion } from '../../api/meta.ts'
import type { MutatingAdmissionPolicy, ParamKind, ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding } from '../../api/schema/types.ts'
import { mastersGroup } from '../../auth/authz/authorizers.ts'
import type { User } from '../../auth/user.ts'
import { objectOf, oldObjectOf, type AdmissionDeps } from '../deps.ts'
import type { AdmissionPlugin, AdmissionRequest } from '../plugin.ts'
import { paramKindOf } from '../policy/params.ts'

const group = 'admissionregistration.k8s.io'
const policyKinds = new Set(['ValidatingAdmissionPolicy', 'MutatingAdmissionPolicy'])
const bindingKinds = new Set(['ValidatingAdmissionPolicyBinding', 'MutatingAdmissionPolicyBinding'])

type Policy = ValidatingAdmissionPolicy | MutatingAdmissionPolicy

export function policyParams(deps: AdmissionDeps): AdmissionPlugin {
  return {
    name: 'PolicyParams',
    handles: ({ kind, subresource, operation }) => kind.group === group && subresource === '' && (operation === 'CREATE' || operation === 'UPDATE') && (policyKinds.has(kind.kind) || bindingKinds.has(kind.kind)),
    async validate(_ctx, request) {
      if (request.user.groups.includes(mastersGroup)) return undefined
      return policyKinds.has(request.kind.kind) ? await policyRefusal(deps, request) : await bindingRefusal(deps, request)
    },
  }
}

async function policyRefusal(deps: AdmissionDeps, request: AdmissionRequest): Promise<ApiError | undefined> {
  const kind = objectOf<Policy>(request).spec?.paramKind
  const before = request.operation === 'UPDATE' ? oldObjectOf<Policy>(request).spec?.paramKind : undefined
  if (kind === undefined || equalJson(kind, before ?? null)) return undefined
  const { target } = targetOf(deps, kind)
  if (await may(deps, request.user, 'get', { ...target, namespace: '*', name: '*' })) return undefined
  return refusal(request, 'paramKind', `user ${goUser(request.user)} must have "get" permission on all objects of the referenced paramKind (kind=${kind.kind ?? ''}, apiVersion=${kind.apiVersion ?? ''})`)
}

async function bindingRefusal(deps: AdmissionDeps, request: AdmissionRequest): Promise<ApiError | undefined> {
  const spec = objectOf<ValidatingAdmissionPolicyBinding>(request).spec
  const before = request.operation === 'UPDATE' ? oldObjectOf<ValidatingAdmissionPolicyBinding>(request).spec : undefined
  const { paramRef, policyName } = spec
  if (paramRef === undefined || (policyName === before?.policyName && equalJson(paramRef, before.paramRef ?? null))) return undefined
  const policies = request.kind.kind.startsWith('Mutating') ? mutatingAdmissionPolicies : validatingAdmissionPolicies
  const policy = deps.lookup.get<Policy>(policies, { namespace: '', name: policyName })
  const kind = policy?.spec?.paramKind
  const { target, unresolved } = kind === undefined ? { target: anything, unresolved: false } : targetOf(deps, kind)
  const verb = (paramRef.name ?? '') === '' ? 'list' : 'get'
  if (await may(deps, request.user, verb, { ...target, namespace: paramRef.namespace ?? '', name: paramRef.name ?? '' })) return undefined
  const user = goUser(request.user)
  const everywhere = `to determine minimum required permissions and user ${user} does not have "${verb}" permission for all groups, versions and resources`
  if (policy === undefined) return refusal(request, 'paramRef', `unable to get policy ${policyName} ${everywhere}`)
  if (unresolved) return refusal(request, 'paramRef', `unable to resolve paramKind &ParamKind{APIVersion:${kind?.apiVersion ?? ''},Kind:${kind?.kind ?? ''},} ${everywhere}`)
  return refusal(request, 'paramRef', `user ${user} does not have "${verb}" permission on the object referenced by paramRef`)
}

interface Target {
  readonly group: string
  readonly version: string
  readonly resource: string
}

const anything: Target = { group: '*', version: '*', resource: '*' }

/** All resources of a version where it is not known which is meant. */
function targetOf(deps: AdmissionDeps, kind: Readonly<ParamKind>): { readonly target: Target; readonly unresolved: boolean } {
  const found = paramKindOf(kind, deps)
  return { target: { ...parseApiVersion(kind.apiVersion ?? ''), resource: typeof found === 'string' ? '*' : found.plural }, unresolved: typeof found === 'string' }
}

async function may(deps: AdmissionDeps, user: User, verb: string, target: Target & { readonly namespace: string; readonly name: string }): Promise<boolean> {
  return (await deps.authorizer.authorize({ type: 'resource', user, verb, subresource: '', ...target })).answer === 'allow'
}

function refusal(request: AdmissionRequest, field: string, why: string): ApiError {
  return invalid({ group, kind: request.kind.kind }, request.object?.metadata.name ?? request.name, [forbiddenField(path('spec', field), why)])
}

/** As Go prints what it knows of a user. */
function goUser({ name, uid = '', groups, extra = {} }: User): string {
  const more = Object.entries(extra).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, values]) => `${key}:[${values.join(' ')}]`)
  return `&{${name} ${uid} [${groups.join(' ')}] map[${more.join(' ')}]}`
}
