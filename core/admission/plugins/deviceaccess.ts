/**
 * DeviceAccess: who may have devices that others have (admin access, in namespaces that are labelled for it), who may say what a
 * ResourceClaim got, and which drivers may say what of their devices (pkg/registry/resource/utils.go: upstream checks this in the
 * registry of these kinds).
 */
import { isDeepStrictEqual } from 'node:util'
import { invalid } from '../../api/errors.ts'
import { FieldError, forbiddenField, path, type Path } from '../../api/field.ts'
import { namespaces } from '../../api/core/namespace.ts'
import { dns1123Subdomain } from '../../api/names.ts'
import type * as k from '../../api/schema/types.ts'
import { refused } from '../../auth/authz/authorizers.ts'
import type { ResourceAttributes, User } from '../../auth/user.ts'
import { isAbout, objectOf, oldObjectOf, type AdmissionDeps } from '../deps.ts'
import type { AdmissionPlugin, AdmissionRequest } from '../plugin.ts'

const group = 'resource.k8s.io'
const adminLabel = 'resource.kubernetes.io/admin-access'
const nodeNameKey = 'authentication.kubernetes.io/node-name'

export function deviceAccess(deps: AdmissionDeps): AdmissionPlugin {
  return {
    name: 'DeviceAccess',
    handles: (request) => (request.operation === 'CREATE' && (isAbout(request, group, 'resourceclaims') || isAbout(request, group, 'resourceclaimtemplates')))
      || (request.operation === 'UPDATE' && isAbout(request, group, 'resourceclaims', 'status')),
    async validate(_ctx, request) {
      const errors = request.operation === 'CREATE' ? adminErrors(deps, request, askedAt(request)) : await statusErrors(deps, request)
      const name = request.object?.metadata.name ?? request.name
      return errors.length === 0 ? undefined : invalid(request.kind, name, errors)
    },
  }
}

async function statusErrors(deps: AdmissionDeps, request: AdmissionRequest): Promise<readonly FieldError[]> {
  const [next, prev] = [objectOf<k.ResourceClaim>(request).status ?? {}, oldObjectOf<k.ResourceClaim>(request).status ?? {}]
  const granted = resultsAt(prev) !== undefined
  return [
    ...(granted ? [] : adminErrors(deps, request, resultsAt(next))),
    ...(await bindingErrors(deps, request, next, prev)),
    ...(next.allocation === undefined ? [] : await driverErrors(deps, request, next, prev)),
  ]
}

// Admin access

/** Where a claim or template asks for it; alternatives never do. */
function askedAt(request: AdmissionRequest): Path | undefined {
  const spec = request.kind.plural === 'resourceclaims' ? objectOf<k.ResourceClaim>(request).spec : objectOf<k.ResourceClaimTemplate>(request).spec.spec
  const at = spec.devices?.requests?.findIndex(({ exactly }) => exactly?.adminAccess === true) ?? -1
  return at < 0 ? undefined : path('spec', 'devices', 'requests').index(at).child('adminAccess')
}

function resultsAt({ allocation }: Readonly<k.ResourceClaimStatus>): Path | undefined {
  const at = allocation?.devices?.results?.findIndex(({ adminAccess }) => adminAccess === true) ?? -1
  return at < 0 ? undefined : path('status', 'allocation', 'devices', 'results').index(at).child('adminAccess')
}

function adminErrors({ lookup }: AdmissionDeps, { namespace }: AdmissionRequest, at: Path | undefined): readonly FieldError[] {
  if (at === undefined) return []
  const found = lookup.get(namespaces, { namespace: '', name: namespace })
  if (found === undefined) return [new FieldError('InternalError', at, '', `could not retrieve namespace to verify admin access: namespaces ${JSON.stringify(namespace)} not found`)]
  if (found.metadata.labels?.[adminLabel] === 'true') return []
  return [forbiddenField(at, `admin access to devices requires the \`${adminLabel}: true\` label on the containing namespace`)]
}

// Status, part by part

const same = (a: unknown, b: unknown): boolean => isDeepStrictEqual(a ?? [], b ?? [])

async function bindingErrors(deps: AdmissionDeps, request: AdmissionRequest, next: Readonly<k.ResourceClaimStatus>, prev: Readonly<k.ResourceClaimStatus>): Promise<readonly FieldError[]> {
  if (same(next.allocation, prev.allocation) && same(next.reservedFor, prev.reservedFor)) return []
  const verb = verbOf(request)
  const why = await refusal(deps, request, { verb, subresource: 'binding', namespace: '', name: '' })
  if (why === undefined) return []
  return [forbiddenField(path('status', 'allocation'), `changing status.allocation or status.reservedFor requires resource="resourceclaims/binding", verb="${verb}" permission: ${why}`)]
}

/** A driver's pod may speak of the devices of its own node with a lesser right. */
async function driverErrors(deps: AdmissionDeps, request: AdmissionRequest, next: Readonly<k.ResourceClaimStatus>, prev: Readonly<k.ResourceClaimStatus>): Promise<readonly FieldError[]> {
  const anywhere = `arbitrary-node:${verbOf(request)}`
  const verbs = isOnNode(request.user, nodeOf(next.allocation)) ? [`associated-node:${verbOf(request)}`, anywhere] : [anywhere]
  const errors: FieldError[] = []
  for (const name of changedDrivers(next.devices ?? [], prev.devices ?? [])) {
    const whys: string[] = []
    for (const verb of verbs) {
      const why = await refusal(deps, request, { verb, subresource: 'driver', namespace: request.namespace, name })
      if (why === undefined) break
      whys.push(why)
    }
    if (whys.length < verbs.length) continue
    errors.push(forbiddenField(path('status', 'devices'), `changing status.devices requires resource="resourceclaims/driver", verb="[${verbs.join(' ')}]" permission: ${whys[0] ?? ''}`))
  }
  return errors
}

function changedDrivers(next: readonly Readonly<k.AllocatedDeviceStatus>[], prev: readonly Readonly<k.AllocatedDeviceStatus>[]): readonly string[] {
  const idOf = ({ driver, pool, device, shareID = '' }: Readonly<k.AllocatedDeviceStatus>): string => JSON.stringify([driver, pool, device, shareID])
  const before = new Map(prev.map((one) => [idOf(one), one]))
  const changed = new Set<string>()
  for (const one of next) {
    if (!isDeepStrictEqual(before.get(idOf(one)), one)) changed.add(one.driver)
    before.delete(idOf(one))
  }
  for (const { driver } of before.values()) changed.add(driver)
  return [...changed].sort()
}

/** Of an allocation on one node; '' for any other. */
function nodeOf(allocation: Readonly<k.AllocationResult> | undefined): string {
  const [term, ...others] = allocation?.nodeSelector?.nodeSelectorTerms ?? []
  const [field, ...more] = term?.matchFields ?? []
  if (others.length + more.length + (term?.matchExpressions?.length ?? 0) > 0) return ''
  return field?.key === 'metadata.name' && field.operator === 'In' && field.values?.length === 1 ? (field.values[0] ?? '') : ''
}

function isOnNode({ name, extra }: User, node: string): boolean {
  const nodes = extra?.[nodeNameKey] ?? []
  return node !== '' && /^system:serviceaccount:[^:]+:[^:]+$/.test(name) && nodes.length === 1 && nodes[0] === node && dns1123Subdomain(node).length === 0
}

const verbOf = ({ verb = 'update' }: AdmissionRequest): string => verb

async function refusal({ authorizer }: AdmissionDeps, { user }: AdmissionRequest, asked: Pick<ResourceAttributes, 'verb' | 'subresource' | 'namespace' | 'name'>): Promise<string | undefined> {
  const attributes: ResourceAttributes = { type: 'resource', user, group, version: 'v1', resource: 'resourceclaims', ...asked }
  const { answer, reason } = await authorizer.authorize(attributes)
  return answer === 'allow' ? undefined : refused(attributes, reason).message
}
