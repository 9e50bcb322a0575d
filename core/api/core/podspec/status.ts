/** What may be said of a pod's status (k8s.io/kubernetes/pkg/apis/core/validation/validation.go, ValidatePodStatusUpdate). */
import { dualStack, immutable, legacyIp, looseIp, qualified, say, type Errors } from '../../checks.ts'
import { duplicate, forbiddenField, invalidValue, path, type Path } from '../../field.ts'
import { dns1123Subdomain, userNumber } from '../../names.ts'
import type * as k from '../../schema/types.ts'

export function validatePodStatus(next: Readonly<k.Pod>, prev: Readonly<k.Pod>): Errors {
  const errors: Errors = []
  const at = path('status')
  const [status, old, spec] = [next.status ?? {}, prev.status ?? {}, prev.spec ?? { containers: [] }]
  conditions(errors, status.conditions ?? [], at.child('conditions'))
  const nominated = status.nominatedNodeName ?? ''
  if (nominated !== (old.nominatedNodeName ?? '') && nominated !== '') {
    say(errors, at.child('nominatedNodeName'), nominated, dns1123Subdomain(nominated))
    if ((spec.nodeName ?? '') !== '') errors.push(forbiddenField(at.child('nominatedNodeName'), 'may not be set on pods that are already bound to a node'))
  }
  if ((status.observedGeneration ?? 0) < 0) errors.push(invalidValue(at.child('observedGeneration'), status.observedGeneration, 'must be a non-negative integer'))
  immutable(errors, status.qosClass ?? '', old.qosClass ?? '', at.child('qosClass'))
  const sides = ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'] as const
  for (const field of sides) restarts(errors, status[field] ?? [], old[field] ?? [], spec, field, at.child(field))
  claims(errors, status.resourceClaimStatuses ?? [], spec, at.child('resourceClaimStatuses'))
  addresses(errors, (status.podIPs ?? []).map((entry) => entry.ip), (old.podIPs ?? []).map((entry) => entry.ip), status.podIPs, at.child('podIPs'))
  const hosts = (status.hostIPs ?? []).map((entry) => entry.ip)
  if (hosts.length > 0 && hosts[0] !== (status.hostIP ?? '')) errors.push(invalidValue(at.child('hostIPs').index(0).child('ip'), hosts[0], 'must be equal to `hostIP`'))
  addresses(errors, hosts, (old.hostIPs ?? []).map((entry) => entry.ip), status.hostIPs, at.child('hostIPs'))
  for (const field of sides) users(errors, status[field] ?? [], spec, at.child(field))
  return errors
}

const systemConditions = new Set(['PodScheduled', 'Ready', 'Initialized'])

function conditions(errors: Errors, list: readonly Readonly<k.PodCondition>[], at: Path): void {
  list.forEach((condition, i) => {
    if ((condition.observedGeneration ?? 0) < 0) errors.push(invalidValue(at.index(i).child('observedGeneration'), condition.observedGeneration, 'must be a non-negative integer'))
    if (!systemConditions.has(condition.type)) qualified(errors, condition.type, at.index(i).child('Type'))
  })
}

/** What has ended stays so, unless its restart policy says otherwise. */
function restarts(
  errors: Errors, next: readonly k.ContainerStatus[], prev: readonly k.ContainerStatus[], spec: Readonly<k.PodSpec>,
  field: 'containerStatuses' | 'initContainerStatuses' | 'ephemeralContainerStatuses', at: Path,
): void {
  const own = field === 'containerStatuses' ? spec.containers : field === 'initContainerStatuses' ? (spec.initContainers ?? []) : []
  const all = [...(spec.initContainers ?? []), ...spec.containers]
  if (field !== 'ephemeralContainerStatuses' && all.some((container) => container.restartPolicyRules?.some((rule) => rule.action === 'RestartAllContainers'))) return
  prev.forEach((old, i) => {
    const ended = old.state?.terminated
    const now = next.find((status) => status.name === old.name)
    if (ended === undefined || now === undefined || now.state?.terminated !== undefined) return
    const container = own.find((one) => one.name === old.name)
    if (container === undefined || !mayRestart(container, spec, ended.exitCode)) errors.push(forbiddenField(at.index(i).child('state'), 'may not be transitioned to non-terminated state'))
  })
}

function mayRestart(container: Readonly<k.Container>, spec: Readonly<k.PodSpec>, exitCode: number): boolean {
  const rule = container.restartPolicyRules?.find(({ exitCodes: codes }) => codes !== undefined && (codes.values ?? []).includes(exitCode) === (codes.operator === 'In'))
  if (rule !== undefined) return true
  const policy = container.restartPolicy ?? spec.restartPolicy
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0)
}

function claims(errors: Errors, statuses: readonly Readonly<k.PodResourceClaimStatus>[], spec: Readonly<k.PodSpec>, at: Path): void {
  const seen = new Set<string>()
  statuses.forEach((status, i) => {
    const here = at.index(i)
    if (spec.resourceClaims?.some((claim) => claim.name === status.name) !== true) {
      errors.push(invalidValue(here.child('name'), status.name, 'must match the name of an entry in `spec.resourceClaims`'))
    }
    if (seen.has(status.name)) errors.push(duplicate(here.child('name'), status.name))
    seen.add(status.name)
    if (status.resourceClaimName !== undefined) say(errors, here.child('resourceClaimName'), status.resourceClaimName, dns1123Subdomain(status.resourceClaimName))
  })
}

function addresses(errors: Errors, next: readonly string[], prev: readonly string[], shown: unknown, at: Path): void {
  next.forEach((address, i) => legacyIp(errors, address, at.index(i), prev))
  if (next.length > 1 && (next.length > 2 || !dualStack(next.map((address) => looseIp(address)?.family)))) {
    errors.push(invalidValue(at, shown, 'may specify no more than one IP for each IP family'))
  }
}

function users(errors: Errors, statuses: readonly Readonly<k.ContainerStatus>[], spec: Readonly<k.PodSpec>, at: Path): void {
  statuses.forEach((status, i) => {
    const user = status.user?.linux
    if (user === undefined) return
    const here = at.index(i).child('user', 'linux')
    if (spec.os?.name === 'windows') {
      errors.push(forbiddenField(here, 'cannot be set for a windows pod'))
      return
    }
    for (const field of ['uid', 'gid'] as const) say(errors, here.child(field), user[field], userNumber(user[field]))
    user.supplementalGroups?.forEach((id, j) => say(errors, here.child('supplementalGroups').index(j), id, userNumber(id)))
  })
}
