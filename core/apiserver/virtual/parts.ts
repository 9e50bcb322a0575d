/**
 * Subresources through which one part of an object is written: a namespace's finalizers, a signing request's approval, a
 * pod's ephemeral containers and its resources. Each says what it takes from what was sent; all else stays. Rules
 * are the kind's (Kind.parts).
 */
import type { CertificateSigningRequest, Container, Namespace, Pod } from '../../api/schema/types.ts'
import type { Handler } from '../route.ts'
import { patchVerb } from '../verbs/patch.ts'
import { getVerb } from '../verbs/read.ts'
import { updateVerb, type Reshape } from '../verbs/write.ts'

/** get, update and patch of a part. */
export function part(reshape: Reshape): Readonly<Record<'get' | 'update' | 'patch', Handler>> {
  return {
    get: getVerb,
    update: (deps, call) => updateVerb(deps, call, reshape),
    patch: (deps, call) => patchVerb(deps, call, reshape),
  }
}

/** Rules between two kinds of objects; what arrives was decoded as this kind. */
function typed<T>(rule: (sent: T, current: T) => void): Reshape {
  return (sent, current) => {
    rule(sent as unknown as T, current as unknown as T)
    return current
  }
}

/** Only spec.finalizers. */
export const finalizeNamespace = typed<Namespace>((sent, current) => {
  const spec = (current.spec ??= {})
  const finalizers = sent.spec?.finalizers
  if (finalizers === undefined) delete spec.finalizers
  else spec.finalizers = finalizers
})

/** Metadata and status.conditions. */
export const approveRequest = typed<CertificateSigningRequest>((sent, current) => {
  current.metadata = sent.metadata
  current.status = { ...current.status, conditions: sent.status?.conditions ?? [] }
})

/** Only spec.ephemeralContainers. */
export const addEphemeralContainers = typed<Pod>((sent, current) => {
  if (current.spec === undefined) return
  const next = sent.spec?.ephemeralContainers
  if (next === undefined) delete current.spec.ephemeralContainers
  else current.spec.ephemeralContainers = next
})

/** Only resources, the pod's and its containers', and resize policies. */
export const resizePod = typed<Pod>((sent, current) => {
  const { spec } = current
  if (spec === undefined || sent.spec === undefined) return
  if (sent.spec.resources === undefined) delete spec.resources
  else spec.resources = sent.spec.resources
  spec.containers = resized(spec.containers, sent.spec.containers)
  if (spec.initContainers !== undefined || sent.spec.initContainers !== undefined) spec.initContainers = resized(spec.initContainers, sent.spec.initContainers)
})

/** Others than before, or in another order, are shown as they came: validation refuses them. */
function resized(current: readonly Container[] = [], sent: readonly Container[] = []): Container[] {
  if (sent.length !== current.length || sent.some((container, i) => container.name !== current[i]?.name)) return [...sent]
  return current.map((container, i) => {
    const { resources: _resources, resizePolicy: _resizePolicy, ...rest } = container
    const { resources, resizePolicy } = sent[i] as Container
    return { ...rest, ...(resources === undefined ? {} : { resources }), ...(resizePolicy === undefined ? {} : { resizePolicy }) }
  })
}
