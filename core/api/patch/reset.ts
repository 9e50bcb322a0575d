/**
 * Which fields a write through one endpoint cannot change, so that it does not come to own them: status through the
 * object itself, spec (and for some kinds metadata) through /status. Facts from the strategies of k8s.io/kubernetes
 * (GetResetFields in pkg/registry). What the registry really resets is the registry's own affair.
 */
import type { KindRef } from '../kind.ts'
import { emptySet, isEmptySet, isMember, leaf, recursiveDifference, setOf, type Draft, type FieldSet } from './fieldset.ts'

const fields = (...paths: readonly string[]): FieldSet => setOf(...paths.map((path) => path.split('.').map((name) => `f:${name}`)))

const status = fields('status')
const spec = fields('spec')
const specAndMetadata = fields('metadata', 'spec')

/** Kinds with a /status: what the object's own endpoint resets is status. */
const bySubresource: Readonly<Record<string, Readonly<Record<string, FieldSet>>>> = {
  'apps/Deployment': { status: fields('spec', 'metadata.labels') },
  '/Pod': { status: fields('spec', 'metadata.deletionTimestamp', 'metadata.ownerReferences') },
  'certificates.k8s.io/CertificateSigningRequest': {
    '': fields('spec', 'status'), status: fields('spec', 'status.conditions'), approval: fields('spec', 'status.certificate'),
  },
  'certificates.k8s.io/PodCertificateRequest': { '': emptySet },
  'networking.k8s.io/ServiceCIDR': { status: specAndMetadata },
  'storage.k8s.io/VolumeAttachment': { status: specAndMetadata },
  'flowcontrol.apiserver.k8s.io/FlowSchema': { status: specAndMetadata },
  'flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration': { status: specAndMetadata },
  'admissionregistration.k8s.io/ValidatingAdmissionPolicy': { status: specAndMetadata },
  'resource.k8s.io/ResourceClaim': { status: specAndMetadata },
  'apiregistration.k8s.io/APIService': { status: specAndMetadata },
}

/** Subresources that can change nothing but these fields; `*` is any item. */
const onlyThrough: Readonly<Record<string, readonly (readonly string[])[]>> = {
  '/Pod/ephemeralcontainers': [['f:spec', 'f:ephemeralContainers']],
  '/Pod/resize': ['f:containers', 'f:initContainers'].flatMap((list) => [
    ['f:spec', list, '*', 'f:resources'],
    ['f:spec', list, '*', 'f:resizePolicy'],
  ]),
}

/** The set without what this endpoint resets. `hasStatus`: the kind has a /status; `custom`: it is a custom resource. */
export function withoutReset(set: FieldSet, kind: KindRef, subresource: string, hasStatus: boolean, custom: boolean): FieldSet {
  const id = `${kind.group}/${kind.kind}`
  const only = onlyThrough[`${id}/${subresource}`]
  if (only !== undefined) return matching(set, only)
  return recursiveDifference(set, bySubresource[id]?.[subresource] ?? usualReset(subresource, hasStatus, custom))
}

function usualReset(subresource: string, hasStatus: boolean, custom: boolean): FieldSet {
  if (subresource === 'status') return custom ? specAndMetadata : hasStatus ? spec : emptySet
  return hasStatus && (subresource === '' || subresource === 'finalize') ? status : emptySet
}

function matching(set: FieldSet, patterns: readonly (readonly string[])[]): FieldSet {
  const kept: Draft = {}
  for (const element in set) {
    const rests = patterns.filter(([head]) => head === '*' || head === element).map((pattern) => pattern.slice(1))
    const branch = set[element] ?? leaf
    if (element === '.' || rests.some((rest) => rest.length === 0)) kept[element] = branch
    else if (rests.length > 0) {
      const below = matching(branch, rests)
      if (!isEmptySet(below) || isMember(branch)) kept[element] = below
    }
  }
  return kept
}
