/**
 * Who a StatefulSet's pods are: names by ordinal, labels and host names that go with them, and the claims that are mounted
 * into each. Pure (upstream's stateful_set_utils.go).
 */
import { statefulSets } from '../../api/apps/statefulset.ts'
import type { PersistentVolumeClaim, Pod, StatefulSet, Volume } from '../../api/schema/types.ts'
import { cloneJson } from '../../lib/json.ts'
import { revisionLabel } from '../history.ts'
import { podFrom } from '../podcontrol.ts'

type Set = Readonly<StatefulSet>

const podNameLabel = 'statefulset.kubernetes.io/pod-name'
const podIndexLabel = 'apps.kubernetes.io/pod-index'
const ordinalMax = 2_147_483_647

export const wantedOf = (set: Set): number => set.spec?.replicas ?? 1
export const startOf = (set: Set): number => set.spec?.ordinals?.start ?? 0
export const podName = (set: Set, ordinal: number): string => `${set.metadata.name}-${ordinal}`
export const revisionOf = (pod: Readonly<Pod>): string => pod.metadata.labels?.[revisionLabel] ?? ''

function parts(pod: Readonly<Pod>): { readonly parent: string; readonly ordinal: number } {
  const { name = '' } = pod.metadata
  const dash = name.lastIndexOf('-')
  const digits = name.slice(dash + 1)
  if (dash < 0 || !/^\d+$/.test(digits)) return { parent: '', ordinal: -1 }
  const ordinal = Number(digits)
  return { parent: name.slice(0, dash), ordinal: ordinal > ordinalMax ? -1 : ordinal }
}

/** -1 for a pod that no StatefulSet can have named. */
export const ordinalOf = (pod: Readonly<Pod>): number => parts(pod).ordinal

export const isMember = (set: Set, pod: Readonly<Pod>): boolean => parts(pod).parent === set.metadata.name

export function inRange(set: Set, pod: Readonly<Pod>): boolean {
  const index = ordinalOf(pod) - startOf(set)
  return index >= 0 && index < wantedOf(set)
}

/** The pod of this ordinal, as the set's template says, marked with the revision that the template is of. */
export function podOf(set: Set, revision: string, ordinal: number): Pod {
  const pod = podFrom(set.spec?.template, { kind: statefulSets, object: set })
  const name = podName(set, ordinal)
  pod.metadata.name = name
  pod.spec = { ...(pod.spec ?? { containers: [] }), hostname: name, ...subdomain(set) }
  const placed = withStorage(set, withIdentity(set, pod))
  placed.metadata.labels = { ...placed.metadata.labels, [revisionLabel]: revision }
  return placed
}

function subdomain(set: Set): { subdomain?: string } {
  const service = set.spec?.serviceName ?? ''
  return service === '' ? {} : { subdomain: service }
}

export function hasIdentity(set: Set, pod: Readonly<Pod>): boolean {
  const { parent, ordinal } = parts(pod)
  const { name, labels } = pod.metadata
  return ordinal >= 0 && parent === set.metadata.name && name === podName(set, ordinal) && labels?.[podNameLabel] === name
}

/** A copy that carries its name and ordinal as labels. */
export function withIdentity(set: Set, pod: Readonly<Pod>): Pod {
  const mine = cloneJson(pod) as Pod
  const ordinal = ordinalOf(pod)
  mine.metadata.labels = { ...mine.metadata.labels, [podNameLabel]: podName(set, ordinal), [podIndexLabel]: String(ordinal) }
  return mine
}

export const claimName = (set: Set, template: Readonly<PersistentVolumeClaim>, ordinal: number): string => `${template.metadata.name}-${set.metadata.name}-${ordinal}`

export function claimNames(set: Set, ordinal: number): readonly string[] {
  return (set.spec?.volumeClaimTemplates ?? []).map((template) => claimName(set, template, ordinal))
}

export function hasStorage(set: Set, pod: Readonly<Pod>): boolean {
  if ((set.spec?.volumeClaimTemplates ?? []).length === 0) return ordinalOf(pod) >= 0
  const ordinal = ordinalOf(pod)
  const volumes = new Map((pod.spec?.volumes ?? []).map((volume) => [volume.name, volume]))
  return ordinal >= 0 && (set.spec?.volumeClaimTemplates ?? []).every(
    (template) => volumes.get(template.metadata.name ?? '')?.persistentVolumeClaim?.claimName === claimName(set, template, ordinal),
  )
}

/** A copy that mounts the set's claims, in place of volumes of the same names. */
export function withStorage(set: Set, pod: Readonly<Pod>): Pod {
  const mine = cloneJson(pod) as Pod
  const templates = set.spec?.volumeClaimTemplates ?? []
  if (templates.length === 0) return mine
  const claims = templates.map((template): Volume => ({
    name: template.metadata.name ?? '', persistentVolumeClaim: { claimName: claimName(set, template, ordinalOf(pod)) },
  }))
  const others = (mine.spec?.volumes ?? []).filter((volume) => !claims.some(({ name }) => name === volume.name))
  mine.spec = { ...(mine.spec ?? { containers: [] }), volumes: [...claims, ...others] }
  return mine
}

/** The claims that the pod of this ordinal needs. */
export function claimsOf(set: Set, ordinal: number): readonly PersistentVolumeClaim[] {
  return (set.spec?.volumeClaimTemplates ?? []).map((template) => {
    const mine = cloneJson(template) as PersistentVolumeClaim
    const labels = { ...mine.metadata.labels, ...set.spec?.selector.matchLabels }
    mine.metadata = { ...mine.metadata, name: claimName(set, template, ordinal), namespace: set.metadata.namespace ?? '', labels }
    return mine
  })
}
