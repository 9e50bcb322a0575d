/**
 * What an endpoint cannot change, put back: status through the object itself, everything else
 * through /status. Facts from the strategies in k8s.io/kubernetes/pkg/registry; who owns such
 * fields is api/patch/reset.ts. What single kinds do beyond this is in their own strategy.
 */
import type { Kind } from '../api/kind.ts'
import type { AnyObject } from '../api/meta.ts'
import { decodeValue } from '../api/schema/validate.ts'
import { definitionOf } from '../api/schema/schema.ts'
import { cloneJson } from '../lib/json.ts'

const isCustom = (kind: Kind): boolean => kind.custom !== undefined
const idOf = (kind: Kind): string => `${kind.group}/${kind.plural}`

/** Kinds whose status may be set on creation. */
const createWithStatus: ReadonlySet<string> = new Set(['/nodes'])

/** Kinds whose /status leaves metadata alone, besides custom ones. */
const statusWithoutMetadata: ReadonlySet<string> = new Set([
  'networking.k8s.io/servicecidrs', 'storage.k8s.io/volumeattachments', 'flowcontrol.apiserver.k8s.io/flowschemas',
  'flowcontrol.apiserver.k8s.io/prioritylevelconfigurations', 'admissionregistration.k8s.io/validatingadmissionpolicies', 'resource.k8s.io/resourceclaims',
])

/** Parts of metadata that /status of these kinds leaves alone. */
const statusWithout: Readonly<Record<string, readonly ('labels' | 'ownerReferences')[]>> = { 'apps/deployments': ['labels'], '/pods': ['ownerReferences'] }

const requests = 'certificates.k8s.io/certificatesigningrequests'

/** A new object has no status yet. */
export function clearStatus(kind: Kind, object: AnyObject): void {
  if (kind.status === undefined || createWithStatus.has(idOf(kind))) return
  const empty = emptyStatus(kind)
  if (empty === undefined) delete object['status']
  else object['status'] = cloneJson(empty)
}

const emptyStatuses = new Map<string, unknown>()

/** What a status that nobody has set looks like: Go writes some of its fields all the same. */
function emptyStatus(kind: Kind): unknown {
  const id = `${idOf(kind)}/${kind.version}`
  if (!emptyStatuses.has(id)) {
    const definition = isCustom(kind) ? undefined : definitionOf(kind.group, kind.version, kind.kind)
    const object = definition === undefined ? undefined : (decodeValue(definition, {}).object as AnyObject | undefined)
    emptyStatuses.set(id, object?.['status'])
  }
  return emptyStatuses.get(id)
}

/** Carries over from `prev` what a write to this endpoint cannot change. */
export function reset(kind: Kind, next: AnyObject, prev: Readonly<AnyObject>, subresource: string): void {
  if (subresource === 'status') resetForStatus(kind, next, prev)
  else if (subresource === '' || subresource === 'scale' || subresource === 'finalize') {
    if (kind.status !== undefined) carry(next, prev, 'status')
    if (idOf(kind) === requests) carry(next, prev, 'spec')
  } else if (subresource === 'approval' && idOf(kind) === requests) {
    carry(next, prev, 'spec')
    next['status'] = { ...(prev['status'] as object | undefined), conditions: (next['status'] as { conditions?: unknown } | undefined)?.conditions }
  }
}

function resetForStatus(kind: Kind, next: AnyObject, prev: Readonly<AnyObject>): void {
  for (const field of new Set([...Object.keys(next), ...Object.keys(prev)])) {
    if (field !== 'metadata' && field !== 'status' && field !== 'kind' && field !== 'apiVersion') carry(next, prev, field)
  }
  if (isCustom(kind) || statusWithoutMetadata.has(idOf(kind))) {
    const { managedFields, resourceVersion } = next.metadata
    next.metadata = { ...prev.metadata }
    if (managedFields === undefined) delete next.metadata.managedFields
    else next.metadata.managedFields = managedFields
    if (resourceVersion === undefined) delete next.metadata.resourceVersion
    else next.metadata.resourceVersion = resourceVersion
  }
  for (const field of statusWithout[idOf(kind)] ?? []) carry(next.metadata as unknown as AnyObject, prev.metadata as unknown as AnyObject, field)
  if (idOf(kind) === requests) keepDecisions(next, prev)
}

interface Condition {
  readonly type: string
}

/** Decisions on a signing request stay as they were made; adding or removing one is for validation to refuse (certificates/strategy.go). */
function keepDecisions(next: AnyObject, prev: Readonly<AnyObject>): void {
  const status = next['status'] as { conditions?: readonly Condition[] } | undefined
  if (status?.conditions === undefined) return
  const before = (prev['status'] as { readonly conditions?: readonly Condition[] } | undefined)?.conditions ?? []
  for (const type of ['Approved', 'Denied']) {
    const old = before.filter((condition) => condition.type === type)
    if (status.conditions.filter((condition) => condition.type === type).length !== old.length) continue
    status.conditions = status.conditions.map((condition) => (condition.type === type ? (old.shift() ?? condition) : condition))
  }
}

function carry(next: AnyObject, prev: Readonly<AnyObject>, field: string): void {
  if (prev[field] === undefined) delete next[field]
  else next[field] = cloneJson(prev[field])
}
