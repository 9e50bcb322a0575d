/**
 * Subresources through which one part of an object is written: a namespace's finalizers, a signing request's approval, a
 * pod's ephemeral containers and its resources. Each says what it takes from what was sent; all else stays.
 */
import { invalid } from '../../api/errors.ts'
import { forbiddenField, path, type FieldError } from '../../api/field.ts'
import type {
  CertificateSigningRequest,
  CertificateSigningRequestCondition,
  Container,
  Namespace,
  Pod,
} from '../../api/schema/types.ts'
import { formatTime } from '../../api/time.ts'
import { equalJson } from '../../lib/json.ts'
import type { Handler } from '../route.ts'
import { patchVerb } from '../verbs/patch.ts'
import { getVerb } from '../verbs/read.ts'
import { updateVerb, type Reshape } from '../verbs/write.ts'

/** get, update and patch of a part. */
export function part(reshape: Reshape): Readonly<Record<string, Handler>> {
  return {
    get: getVerb,
    update: (deps, call) => updateVerb(deps, call, reshape),
    patch: (deps, call) => patchVerb(deps, call, reshape),
  }
}

/** Rules between two kinds of objects; what arrives was decoded as this kind. */
function typed<T>(rule: (sent: T, current: T, call: Parameters<Reshape>[2]) => void): Reshape {
  return (sent, current, call) => {
    rule(sent as unknown as T, current as unknown as T, call)
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

const decisions = ['Approved', 'Denied', 'Failed'] as const

/** Metadata and status.conditions; decisions that were made stay. */
export const approveRequest = typed<CertificateSigningRequest>((sent, current, call) => {
  const before = current.status?.conditions ?? []
  const now = formatTime(call.ctx.clock.now())
  const conditions = (sent.status?.conditions ?? []).map((condition) => timed(condition, before, now))
  const count = (of: readonly CertificateSigningRequestCondition[], type: string): number =>
    of.filter((c) => c.type === type).length
  const errors: FieldError[] = []
  for (const type of decisions) {
    if (count(conditions, type) < count(before, type)) {
      errors.push(
        forbiddenField(
          path('status', 'conditions'),
          `updates may not remove a condition of type ${JSON.stringify(type)}`,
        ),
      )
    }
  }
  if (errors.length > 0)
    throw invalid({ group: 'certificates.k8s.io', kind: 'CertificateSigningRequest' }, call.info.name, errors)
  current.metadata = sent.metadata
  current.status = { ...current.status, conditions }
})

function timed(
  condition: CertificateSigningRequestCondition,
  before: readonly CertificateSigningRequestCondition[],
  now: string,
): CertificateSigningRequestCondition {
  const same = before.find((known) => known.type === condition.type && known.status === condition.status)
  return {
    ...condition,
    lastUpdateTime: condition.lastUpdateTime ?? now,
    lastTransitionTime: condition.lastTransitionTime ?? same?.lastTransitionTime ?? now,
  }
}

/** Only spec.ephemeralContainers, of which existing ones neither change nor go. */
export const addEphemeralContainers = typed<Pod>((sent, current, call) => {
  const before = current.spec?.ephemeralContainers ?? []
  const next = sent.spec?.ephemeralContainers ?? []
  const at = path('spec', 'ephemeralContainers')
  const errors: FieldError[] = []
  if (current.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined) {
    errors.push(forbiddenField(path(''), 'static pods do not support ephemeral containers'))
  }
  for (const old of before) {
    const kept = next.find((container) => container.name === old.name)
    if (kept === undefined)
      errors.push(forbiddenField(at, `existing ephemeral containers ${JSON.stringify(old.name)} may not be removed\n`))
    else if (!equalJson(kept, old))
      errors.push(forbiddenField(at, `existing ephemeral containers ${JSON.stringify(old.name)} may not be changed\n`))
  }
  if (errors.length > 0) throw invalid({ group: '', kind: 'Pod' }, call.info.name, errors)
  if (current.spec === undefined) return
  if (next.length > 0) current.spec.ephemeralContainers = next
})

/** Only the containers' resources and resize policies. */
export const resizePod = typed<Pod>((sent, current) => {
  const { spec } = current
  if (spec === undefined) return
  resize(spec.containers, sent.spec?.containers)
  resize(spec.initContainers, sent.spec?.initContainers)
})

function resize(current: readonly Container[] | undefined, sent: readonly Container[] | undefined): void {
  for (const container of current ?? []) {
    const asked = sent?.find((other) => other.name === container.name)
    if (asked === undefined) continue
    if (asked.resources !== undefined) container.resources = asked.resources
    if (asked.resizePolicy !== undefined) container.resizePolicy = asked.resizePolicy
  }
}
