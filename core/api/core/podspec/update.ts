/**
 * What may change in a pod: little through the pod itself, resources through resize, additions through
 * ephemeralcontainers (k8s.io/kubernetes/pkg/apis/core/validation/validation.go).
 */
import type { Errors } from '../../checks.ts'
import { equalJson } from '../../../lib/json.ts'
import { diffText } from '../../diff.ts'
import { forbiddenField, invalidValue, path, required, type Path } from '../../field.ts'
import { range } from '../../names.ts'
import type * as k from '../../schema/types.ts'
import { qosClass } from '../podresources.ts'
import { validateTolerations } from './affinity.ts'
import { mirrorAnnotation } from './annotations.ts'
import { noPadding } from './containers.ts'

const changeable = [
  '`spec.containers[*].image`', '`spec.initContainers[*].image`', '`spec.activeDeadlineSeconds`', '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
]
const int32Max = 2_147_483_647

/** What the pod's own rules leave to compare. */
export function validatePodChange(errors: Errors, next: Readonly<k.PodSpec>, prev: Readonly<k.PodSpec>): void {
  const at = path('spec')
  for (const field of ['containers', 'initContainers'] as const) if (!images(errors, next[field] ?? [], prev[field] ?? [], at.child(field))) return
  if (!deadline(errors, next.activeDeadlineSeconds, prev.activeDeadlineSeconds, at.child('activeDeadlineSeconds'))) return
  onlyAdded(errors, next.tolerations ?? [], prev.tolerations ?? [], at.child('tolerations'))
  const gates = new Set((prev.schedulingGates ?? []).map((gate) => gate.name))
  next.schedulingGates?.forEach((gate, i) => {
    if (!gates.has(gate.name)) errors.push(forbiddenField(at.child('schedulingGates').index(i).child('name'), `only deletion is allowed, but found new scheduling gate '${gate.name}'`))
  })
  const rest = masked(errors, next, prev, at)
  if (!equalJson(rest, prev)) errors.push(forbiddenField(at, `pod updates may not change fields other than ${changeable.join(',')}\n${diffText(prev, rest)}`))
}

/** False when there is no use in looking further. */
function images(errors: Errors, next: readonly k.Container[], prev: readonly k.Container[], at: Path): boolean {
  if (next.length !== prev.length) {
    errors.push(forbiddenField(at, 'pod updates may not add or remove containers'))
    return false
  }
  next.forEach((container, i) => {
    if ((container.image ?? '') === '') errors.push(required(at.index(i).child('image')))
    noPadding(errors, container, at.index(i))
  })
  return true
}

function deadline(errors: Errors, next: number | undefined, prev: number | undefined, at: Path): boolean {
  if (next === undefined) {
    if (prev !== undefined) errors.push(invalidValue(at, null, 'must not update from a positive integer to nil value'))
  } else if (next < 0 || next > int32Max) {
    errors.push(invalidValue(at, next, range(0, int32Max)))
    return false
  } else if (prev !== undefined && prev < next) {
    errors.push(invalidValue(at, next, 'must be less than or equal to previous value'))
    return false
  }
  return true
}

function onlyAdded(errors: Errors, next: readonly k.Toleration[], prev: readonly k.Toleration[], at: Path): void {
  const plain = ({ tolerationSeconds: _seconds, ...rest }: k.Toleration): object => rest
  const kept = prev.every((old) => next.some((other) => equalJson(plain(old), plain(other))))
  if (!kept) errors.push(forbiddenField(at, 'existing toleration can not be modified except its tolerationSeconds'))
  else validateTolerations(errors, next, at)
}

/** The next spec with everything that may change as it was: equal to the previous one when nothing else did. */
function masked(errors: Errors, next: Readonly<k.PodSpec>, prev: Readonly<k.PodSpec>, at: Path): k.PodSpec {
  const sameImages = (containers: k.Container[] | undefined, before: readonly k.Container[] | undefined): k.Container[] =>
    (containers ?? []).map((container, i) => ({ ...container, ...(before?.[i]?.image === undefined ? {} : { image: before[i].image }) }))
  const rest: k.PodSpec = { ...next, containers: sameImages(next.containers, prev.containers) }
  if (next.initContainers !== undefined) rest.initContainers = sameImages(next.initContainers, prev.initContainers)
  keep(rest, prev, 'activeDeadlineSeconds', 'schedulingGates', 'tolerations')
  if ((prev.terminationGracePeriodSeconds ?? 0) < 0 && next.terminationGracePeriodSeconds === 1) keep(rest, prev, 'terminationGracePeriodSeconds')
  if ((prev.schedulingGates ?? []).length > 0) narrowed(errors, rest, prev, at)
  return rest
}

function keep(rest: k.PodSpec, prev: Readonly<k.PodSpec>, ...fields: readonly (keyof k.PodSpec)[]): void {
  for (const field of fields) {
    if (prev[field] === undefined) delete rest[field]
    else Object.assign(rest, { [field]: prev[field] })
  }
}

const rules = 'requiredDuringSchedulingIgnoredDuringExecution'

/** While a pod is gated, where it may run may be narrowed. */
function narrowed(errors: Errors, rest: k.PodSpec, prev: Readonly<k.PodSpec>, at: Path): void {
  if (Object.entries(prev.nodeSelector ?? {}).some(([key, value]) => rest.nodeSelector?.[key] !== value)) {
    errors.push(invalidValue(at.child('nodeSelector'), rest.nodeSelector ?? null, 'only additions to spec.nodeSelector are allowed (no mutations or deletions)'))
  }
  keep(rest, prev, 'nodeSelector')
  const [now, before] = [rest.affinity?.nodeAffinity, prev.affinity?.nodeAffinity]
  if (equalJson(now ?? null, before ?? null)) return
  const [terms, old] = [now?.[rules]?.nodeSelectorTerms ?? [], before?.[rules]?.nodeSelectorTerms ?? []]
  const here = at.child('affinity', 'nodeAffinity', rules, 'nodeSelectorTerms')
  if (old.length > 0 && old.length !== terms.length) {
    errors.push(invalidValue(here, terms, 'no additions/deletions to non-empty NodeSelectorTerms list are allowed'))
  } else {
    old.forEach((term, i) => {
      if (!onlyAdds(terms[i] ?? {}, term)) errors.push(invalidValue(here.index(i), terms[i], 'only additions are allowed (no mutations or deletions)'))
    })
  }
  const { nodeAffinity: _dropped, ...others } = rest.affinity ?? {}
  const affinity = { ...others, ...(before === undefined ? {} : { nodeAffinity: before }) }
  if (Object.keys(affinity).length === 0 && prev.affinity === undefined) delete rest.affinity
  else rest.affinity = affinity
}

function onlyAdds(next: Readonly<k.NodeSelectorTerm>, prev: Readonly<k.NodeSelectorTerm>): boolean {
  const [expressions, fields] = [prev.matchExpressions ?? [], prev.matchFields ?? []]
  if (expressions.length + fields.length === 0) return (next.matchExpressions ?? []).length + (next.matchFields ?? []).length === 0
  return equalJson((next.matchExpressions ?? []).slice(0, expressions.length), expressions) && equalJson((next.matchFields ?? []).slice(0, fields.length), fields)
}

export function validateEphemeralChange(next: Readonly<k.Pod>, prev: Readonly<k.Pod>): Errors {
  if (prev.metadata.annotations?.[mirrorAnnotation] !== undefined) return [forbiddenField(path('[]'), 'static pods do not support ephemeral containers')]
  const errors: Errors = []
  const at = path('spec', 'ephemeralContainers')
  for (const old of prev.spec?.ephemeralContainers ?? []) {
    const same = next.spec?.ephemeralContainers?.find((container) => container.name === old.name)
    if (same === undefined) errors.push(forbiddenField(at, `existing ephemeral containers ${JSON.stringify(old.name)} may not be removed\n`))
    else if (!equalJson(same, old)) errors.push(forbiddenField(at, `existing ephemeral containers ${JSON.stringify(old.name)} may not be changed\n${diffText(old, same)}`))
  }
  return errors
}

type Resources = Readonly<k.ResourceRequirements>

export function validateResize(next: Readonly<k.Pod>, prev: Readonly<k.Pod>): Errors {
  const at = path('spec')
  if (prev.metadata.annotations?.[mirrorAnnotation] !== undefined) return [forbiddenField(path('[]'), 'static pods cannot be resized')]
  if (prev.spec?.os?.name === 'windows') return [forbiddenField(path('[]'), 'windows pods cannot be resized')]
  const errors: Errors = []
  const [spec, old] = [next.spec ?? { containers: [] }, prev.spec ?? { containers: [] }]
  if ((prev.status?.qosClass ?? qosClass(prev)) !== qosClass(next)) {
    errors.push(invalidValue(at, next.status?.qosClass ?? '', 'Pod QOS Class may not change as a result of resizing'))
  }
  const running = prev.status?.containerStatuses?.find((status) => status.state?.running !== undefined)
  if (running !== undefined && running.resources === undefined) errors.push(forbiddenField(at, 'Pod running on node without support for resize'))
  podLevel(errors, spec.resources, old.resources, at.child('resources'))
  if (!sameContainers(errors, spec, old, at)) return errors
  for (const field of ['initContainers', 'containers'] as const) {
    spec[field]?.forEach((container, i) => {
      const before = old[field]?.[i]
      if (before !== undefined) oneContainer(errors, container, before, at, field, i)
    })
  }
  return errors
}

function podLevel(errors: Errors, next: Resources | undefined, prev: Resources | undefined, at: Path): void {
  if (prev === undefined) return
  if (next === undefined) {
    errors.push(forbiddenField(at, 'pod-level resources cannot be removed'))
    return
  }
  for (const side of ['requests', 'limits'] as const) {
    if (removed(next[side], prev[side])) errors.push(forbiddenField(at.child(side), `pod-level resource ${side} cannot be removed`))
  }
  if (!equalJson(others(next), others(prev))) errors.push(forbiddenField(path('spec'), 'only cpu and memory resources are mutable at pod-level'))
}

function sameContainers(errors: Errors, next: Readonly<k.PodSpec>, prev: Readonly<k.PodSpec>, at: Path): boolean {
  const before = errors.length
  for (const field of ['containers', 'initContainers'] as const) {
    const [now, old] = [next[field] ?? [], prev[field] ?? []]
    if (now.length !== old.length) errors.push(forbiddenField(at.child(field), `${field} may not be added or removed on resize`))
    else old.forEach((container, i) => {
      if (now[i]?.name !== container.name) errors.push(forbiddenField(at.child(field).index(i).child('name'), `${field} may not be renamed or reordered on resize`))
    })
  }
  return errors.length === before
}

function oneContainer(errors: Errors, next: k.Container, prev: k.Container, at: Path, field: 'containers' | 'initContainers', i: number): void {
  const here = at.child(field).index(i)
  for (const side of ['requests', 'limits'] as const) {
    if (removed(next.resources?.[side], prev.resources?.[side])) errors.push(forbiddenField(here.child('resources', side), `resource ${side} cannot be removed`))
  }
  const changed = !equalJson(next, prev)
  const same = equalJson({ ...next, resources: others(next.resources ?? {}) }, { ...prev, resources: others(prev.resources ?? {}) })
  if (!same) {
    const init = 'only cpu and memory resources for init or sidecar containers are mutable'
    errors.push(field === 'containers' ? forbiddenField(at, 'only cpu and memory resources are mutable') : forbiddenField(here, init))
  }
  if (field === 'containers' || !changed || next.restartPolicy === 'Always') return
  if (next.resizePolicy?.some((policy) => policy.restartPolicy === 'RestartContainer') === true) {
    errors.push(forbiddenField(here, 'non-sidecar init containers with a resize policy of RestartContainer cannot be resized'))
  }
}

const removed = (next: Readonly<Record<string, string>> = {}, prev: Readonly<Record<string, string>> = {}): boolean => Object.keys(prev).some((name) => next[name] === undefined)

/** Without what a resize may change. */
function others(resources: Resources): object {
  const rest = ({ cpu: _cpu, memory: _memory, ...more }: Readonly<Record<string, string>> = {}): object => more
  return { requests: rest(resources.requests), limits: rest(resources.limits) }
}
