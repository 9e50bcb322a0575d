/**
 * NodeRestriction: a kubelet writes its own node, its own lease and what its own pods need, and nothing that would draw other
 * work or rights to it (plugin/pkg/admission/noderestriction). What it may read is the node authorizer's affair.
 */
import { isDeepStrictEqual } from 'node:util'
import { notFound, type ApiError } from '../../api/errors.ts'
import { nodes } from '../../api/core/node.ts'
import { persistentVolumeClaims } from '../../api/core/persistentvolumeclaim.ts'
import { persistentVolumes } from '../../api/core/persistentvolume.ts'
import { pods } from '../../api/core/pod.ts'
import { csiDrivers } from '../../api/storage/csidriver.ts'
import { awaitsRemoval, localPathMarks, localPathNode } from '../../api/storage/localpath.ts'
import type { CertificateSigningRequest, Node, PersistentVolume, PersistentVolumeClaim, Pod, PodSpec, TokenRequest, Volume } from '../../api/schema/types.ts'
import { podConfigMapNames, podSecretNames } from '../../auth/authz/graph.ts'
import { nodeNameOf } from '../../auth/authz/node.ts'
import { requestedSubject, signers } from '../../auth/requests.ts'
import { objectOf, oldObjectOf, refuse, type AdmissionDeps } from '../deps.ts'
import type { AdmissionPlugin, AdmissionRequest } from '../plugin.ts'

interface Question {
  readonly deps: AdmissionDeps
  readonly request: AdmissionRequest
  readonly node: string
}
type Answer = ApiError | undefined

const mirrorAnnotation = 'kubernetes.io/config.mirror'

export function nodeRestriction(deps: AdmissionDeps): AdmissionPlugin {
  return {
    name: 'NodeRestriction',
    handles: (request) => request.operation !== 'CONNECT' && nodeNameOf(request.user) !== undefined,
    async mutate(_ctx, request) {
      const node = nodeNameOf(request.user) ?? ''
      if (node === '') return refuse(request, `could not determine node from user ${JSON.stringify(request.user.name)}`)
      return await table[`${request.kind.group}/${request.kind.plural}`]?.({ deps, request, node })
    },
  }
}

const table: Readonly<Record<string, (q: Question) => Answer | Promise<Answer>>> = {
  '/pods': podWrites,
  '/nodes': nodeWrites,
  '/persistentvolumeclaims': claimWrites,
  '/persistentvolumes': volumeWrites,
  '/serviceaccounts': tokenRequests,
  'coordination.k8s.io/leases': ownName('node lease', 'kube-node-lease'),
  'storage.k8s.io/csinodes': ownName('CSINode', ''),
  'certificates.k8s.io/certificatesigningrequests': requests,
}

function podWrites(q: Question): Answer {
  const { request, node } = q
  if (request.subresource === 'status') return podStatus(q)
  if (request.subresource === 'eviction') return ownPod(q, `node ${node} can only evict pods with spec.nodeName set to itself`)
  if (request.subresource !== '') return refuse(request, `unexpected pod subresource ${JSON.stringify(request.subresource)}, only 'status' and 'eviction' are allowed`)
  if (request.operation === 'CREATE') return mirrorPod(q)
  if (request.operation === 'DELETE') return ownPod(q, `node ${quote(node)} can only delete pods with spec.nodeName set to itself`)
  return refuse(request, `unexpected operation ${quote(request.operation)}, node ${quote(node)} can only create and delete mirror pods`)
}

function ownPod({ deps, request, node }: Question, why: string): Answer {
  const name = request.name === '' ? (request.object?.metadata.name ?? '') : request.name
  const pod = deps.lookup.get(pods, { namespace: request.namespace, name })
  if (pod === undefined) return notFound({ group: '', resource: 'pods' }, name)
  return pod.spec?.nodeName === node ? undefined : refuse(request, why)
}

function mirrorPod({ deps, request, node }: Question): Answer {
  const pod = objectOf<Pod>(request)
  const only = `node ${quote(node)} can only create`
  if (pod.metadata.annotations?.[mirrorAnnotation] === undefined) return refuse(request, `pod does not have ${quote(mirrorAnnotation)} annotation, ${only} mirror pods`)
  if (pod.spec?.nodeName !== node) return refuse(request, `${only} pods with spec.nodeName set to itself`)
  const owners = pod.metadata.ownerReferences ?? []
  const [owner] = owners
  if (owners.length > 1) return refuse(request, `${only} pods with a single owner reference set to itself`)
  if (owner?.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== node) return refuse(request, `${only} pods with an owner reference set to itself`)
  if (owner.controller !== true) return refuse(request, `${only} pods with a controller owner reference set to itself`)
  if (owner.blockOwnerDeletion === true) return refuse(request, `node ${quote(node)} must not set blockOwnerDeletion on an owner reference`)
  const own = deps.lookup.get(nodes, { namespace: '', name: node })
  if (own === undefined) return notFound({ group: '', resource: 'nodes' }, node)
  if (own.metadata.uid !== owner.uid) return refuse(request, `node ${node} UID mismatch: expected ${owner.uid} got ${own.metadata.uid}`)
  const named = apiReference(pod.spec)
  return named === undefined ? undefined : refuse(request, `node ${quote(node)} can not create pods that reference ${named}`)
}

function podStatus({ request, node }: Question): Answer {
  if (request.operation !== 'UPDATE') return refuse(request, `unexpected operation ${quote(request.operation)}`)
  const [next, prev] = [objectOf<Pod>(request), oldObjectOf<Pod>(request)]
  if (prev.spec?.nodeName !== node) return refuse(request, `node ${quote(node)} can only update pod status for pods with spec.nodeName set to itself`)
  if (!isDeepStrictEqual(prev.metadata.labels ?? {}, next.metadata.labels ?? {})) return refuse(request, `node ${quote(node)} cannot update labels through pod status`)
  if (isDeepStrictEqual(prev.status?.resourceClaimStatuses ?? [], next.status?.resourceClaimStatuses ?? [])) return undefined
  return refuse(request, `node ${quote(node)} cannot update resource claim statues`) // upstream's spelling
}

function nodeWrites({ request, node }: Question): Answer {
  const name = request.name === '' ? request.object?.metadata.name : request.name
  if (name !== node) return refuse(request, `node ${quote(node)} is not allowed to modify node ${quote(name ?? '')}`)
  if (request.operation === 'CREATE') {
    const own = objectOf<Node>(request)
    if (own.spec?.configSource !== undefined) return refuse(request, `node ${quote(node)} is not allowed to create pods with a non-nil configSource`)
    const labels = forbiddenLabels(own.metadata.labels ?? {}, {})
    return labels === '' ? undefined : refuse(request, `node ${quote(node)} is not allowed to set the following labels: ${labels}`)
  }
  if (request.operation !== 'UPDATE') return undefined
  const [next, prev] = [objectOf<Node>(request), oldObjectOf<Node>(request)]
  if (next.spec?.configSource !== undefined && !isDeepStrictEqual(next.spec.configSource, prev.spec?.configSource)) {
    return refuse(request, `node ${quote(node)} is not allowed to update configSource to a new non-nil configSource`)
  }
  if (!isDeepStrictEqual(next.spec?.taints ?? [], prev.spec?.taints ?? [])) return refuse(request, `node ${quote(node)} is not allowed to modify taints`)
  if (!isDeepStrictEqual(next.metadata.ownerReferences ?? [], prev.metadata.ownerReferences ?? [])) {
    return refuse(request, `node ${quote(node)} is not allowed to modify ownerReferences`)
  }
  const labels = forbiddenLabels(next.metadata.labels ?? {}, prev.metadata.labels ?? {})
  return labels === '' ? undefined : refuse(request, `is not allowed to modify labels: ${labels}`)
}

const kubeletLabels = new Set([
  'kubernetes.io/hostname', 'topology.kubernetes.io/zone', 'topology.kubernetes.io/region', 'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region', 'beta.kubernetes.io/instance-type', 'node.kubernetes.io/instance-type', 'kubernetes.io/os',
  'kubernetes.io/arch', 'beta.kubernetes.io/os', 'beta.kubernetes.io/arch',
])

/** Changed labels that would let a node steer work to itself, sorted and joined. */
function forbiddenLabels(next: Readonly<Record<string, string>>, prev: Readonly<Record<string, string>>): string {
  const changed = new Set([...Object.keys(next), ...Object.keys(prev)].filter((key) => next[key] !== prev[key]))
  return [...changed].filter(isForbidden).toSorted().join(', ')
}

function isForbidden(label: string): boolean {
  const domain = label.includes('/') ? label.slice(0, label.indexOf('/')) : ''
  const within = (suffix: string): boolean => domain === suffix || domain.endsWith(`.${suffix}`)
  if (within('node-restriction.kubernetes.io')) return true
  if (!within('kubernetes.io') && !within('k8s.io')) return false
  return !kubeletLabels.has(label) && !within('kubelet.kubernetes.io') && !within('node.kubernetes.io')
}

function claimWrites({ request, node }: Question): Answer {
  if (request.subresource !== 'status') return refuse(request, 'may only update PVC status')
  if (request.operation !== 'UPDATE') return refuse(request, `unexpected operation ${quote(request.operation)}`)
  const bare = (claim: Readonly<PersistentVolumeClaim>): unknown => {
    const { capacity: _c, conditions: _d, allocatedResources: _a, allocatedResourceStatuses: _s, ...status } = claim.status ?? {}
    const { resourceVersion: _r, managedFields: _m, ...metadata } = claim.metadata
    return { ...claim, metadata, status }
  }
  if (isDeepStrictEqual(bare(objectOf(request)), bare(oldObjectOf(request)))) return undefined
  return refuse(request, `node ${quote(node)} is not allowed to update fields other than status.quantity and status.conditions`)
}

/** Kubun's own: a node that has removed what was on a folder of its own lets the volume go. */
function volumeWrites({ request, node }: Question): Answer {
  if (request.operation !== 'UPDATE' || request.subresource !== '') return refuse(request, `unexpected operation ${quote(request.operation)}`)
  const [next, prev] = [objectOf<PersistentVolume>(request), oldObjectOf<PersistentVolume>(request)]
  if (localPathNode(prev) !== node || !awaitsRemoval(prev)) return refuse(request, `node ${quote(node)} may only update volumes of its own whose data it has to remove`)
  const bare = ({ metadata, ...volume }: Readonly<PersistentVolume>): unknown => {
    const { resourceVersion: _r, managedFields: _m, finalizers = [], ...rest } = metadata
    return { ...volume, metadata: rest, finalizers: finalizers.filter((each) => each !== localPathMarks.finalizer) }
  }
  if (isDeepStrictEqual(bare(next), bare(prev))) return undefined
  return refuse(request, `node ${quote(node)} is not allowed to update fields other than the finalizer ${localPathMarks.finalizer}`)
}

async function tokenRequests({ deps, request, node }: Question): Promise<Answer> {
  if (request.operation !== 'CREATE' || request.subresource !== 'token') return undefined
  const { spec } = objectOf<TokenRequest>(request)
  const ref = spec?.boundObjectRef
  if (ref?.apiVersion !== 'v1' || ref.kind !== 'Pod' || (ref.name ?? '') === '') return refuse(request, 'node requested token not bound to a pod')
  if ((ref.uid ?? '') === '') return refuse(request, 'node requested token with a pod binding without a uid')
  const pod = deps.lookup.get(pods, { namespace: request.namespace, name: ref.name ?? '' })
  if (pod === undefined) return notFound({ group: '', resource: 'pods' }, ref.name ?? '')
  if (pod.metadata.uid !== ref.uid) {
    return refuse(request, `the UID in the bound object reference (${ref.uid}) does not match the UID in record. The object might have been deleted and then recreated`)
  }
  if (pod.spec?.nodeName !== node) return refuse(request, 'node requested token bound to a pod scheduled on a different node')
  const audiences = spec?.audiences ?? []
  if (audiences.length > 1) return refuse(request, 'node may only request 0 or 1 audiences')
  const audience = audiences[0] ?? ''
  if ((pod.spec.volumes ?? []).some((v) => volumeWants(deps, pod, v, audience))) return undefined
  const asked = {
    type: 'resource', user: request.user, verb: 'request-serviceaccounts-token-audience', group: '', version: 'v1', resource: audience,
    subresource: '', namespace: request.namespace, name: request.name,
  } as const
  if ((await deps.authorizer.authorize(asked)).answer === 'allow') return undefined
  return refuse(request, `audience ${quote(audience)} not found in pod spec volume, ${request.user.name} is not authorized to request tokens for this audience`)
}

/** Whether a volume of the pod asks for a token of this audience: itself, or through the CSI driver behind it. */
function volumeWants({ lookup }: AdmissionDeps, pod: Readonly<Pod>, volume: Readonly<Volume>, audience: string): boolean {
  if (volume.projected?.sources?.some((s) => s.serviceAccountToken !== undefined && (s.serviceAccountToken.audience ?? '') === audience)) return true
  const namespace = pod.metadata.namespace ?? ''
  const claimName = volume.ephemeral === undefined ? volume.persistentVolumeClaim?.claimName : `${pod.metadata.name}-${volume.name}`
  const claim = claimName === undefined ? undefined : lookup.get(persistentVolumeClaims, { namespace, name: claimName })
  const bound = claim?.spec?.volumeName
  const driver = volume.csi?.driver ?? (bound === undefined ? undefined : lookup.get(persistentVolumes, { namespace: '', name: bound })?.spec?.csi?.driver)
  if (driver === undefined) return false
  return lookup.get(csiDrivers, { namespace: '', name: driver })?.spec.tokenRequests?.some((t) => t.audience === audience) ?? false
}

function ownName(what: string, namespace: string): (q: Question) => Answer {
  return ({ request, node }) => {
    if (namespace !== '' && request.namespace !== namespace) return refuse(request, `can only access leases in the ${quote(namespace)} system namespace`)
    const name = request.operation === 'CREATE' ? request.object?.metadata.name : request.name
    return name === node ? undefined : refuse(request, `can only access ${what} with the same name as the requesting node`)
  }
}

function requests({ request, node }: Question): Answer {
  if (request.operation !== 'CREATE') return undefined
  const { spec } = objectOf<CertificateSigningRequest>(request)
  if (spec.signerName !== signers.kubeletClient && spec.signerName !== signers.kubeletServing) return undefined
  const subject = requestedSubject(spec.request)
  if (typeof subject === 'string') return refuse(request, `unable to parse csr: ${subject}`)
  return subject.commonName === `system:node:${node}` ? undefined : refuse(request, `can only create a node CSR with CN=system:node:${node}`)
}

/** What of the API a pod names, if anything (pkg/api/pod HasAPIObjectReference). */
function apiReference(spec: Readonly<PodSpec>): string | undefined {
  if ((spec.serviceAccountName ?? '') !== '') return 'serviceaccounts'
  if (podSecretNames(spec).length > 0) return 'secrets'
  if (podConfigMapNames(spec).length > 0) return 'configmaps'
  if ((spec.resourceClaims ?? []).length > 0) return 'resourceclaims'
  for (const v of spec.volumes ?? []) {
    if (v.csi !== undefined) return 'csidrivers (via CSI volumes)'
    if (v.glusterfs !== undefined) return 'endpoints (via glusterFS volumes)'
    if (v.persistentVolumeClaim !== undefined) return 'persistentvolumeclaims'
    if (v.ephemeral !== undefined) return 'persistentvolumeclaims (via ephemeral volumes)'
    for (const s of v.projected?.sources ?? []) {
      if (s.serviceAccountToken !== undefined) return 'serviceaccounts (via projected volumes)'
      if (s.clusterTrustBundle !== undefined) return 'clustertrustbundles'
      if (s.podCertificate !== undefined) return 'podcertificates'
    }
  }
  return undefined
}

function quote(text: string): string {
  return JSON.stringify(text)
}
