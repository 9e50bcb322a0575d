/**
 * How far up a group stands in discovery, and a version in its group: those of built-in group-versions
 * (k8s.io/kubernetes cmd/kube-apiserver/app/aggregator.go, pkg/controlplane/apiserver/aggregator.go), those of custom
 * kinds, and the order that follows.
 */

export interface Priority {
  readonly group: number
  readonly version: number
}

/** Custom kinds come late; their versions go by their names. */
export const customPriority: Priority = { group: 1_000, version: 100 }

/** Above all that an APIService may ask for: it has none itself. */
const registration: Priority = { group: 20_001, version: 0 }

/** group: its priority, then a version and its priority, and so on. */
const table: Readonly<Record<string, readonly [group: number, versions: Readonly<Record<string, number>>]>> = {
  '': [18_000, { v1: 1 }],
  apps: [17_800, { v1: 15 }],
  'events.k8s.io': [17_750, { v1: 15, v1beta1: 5 }],
  'authentication.k8s.io': [17_700, { v1: 15, v1beta1: 9, v1alpha1: 1 }],
  'authorization.k8s.io': [17_600, { v1: 15 }],
  autoscaling: [17_500, { v1: 15, v2: 30, v2beta1: 9, v2beta2: 1 }],
  batch: [17_400, { v1: 15, v1beta1: 9, v2alpha1: 9 }],
  'certificates.k8s.io': [17_300, { v1: 15, v1beta1: 9, v1alpha1: 1 }],
  'networking.k8s.io': [17_200, { v1: 15, v1beta1: 9 }],
  policy: [17_100, { v1: 15, v1beta1: 9 }],
  'rbac.authorization.k8s.io': [17_000, { v1: 15 }],
  'storage.k8s.io': [16_800, { v1: 15, v1beta1: 9, v1alpha1: 1 }],
  'apiextensions.k8s.io': [16_700, { v1: 15 }],
  'admissionregistration.k8s.io': [16_700, { v1: 15, v1beta1: 12, v1alpha1: 9 }],
  'scheduling.k8s.io': [16_600, { v1: 15, v1alpha2: 2 }],
  'coordination.k8s.io': [16_500, { v1: 15, v1beta1: 13, v1alpha2: 12 }],
  'node.k8s.io': [16_300, { v1: 15, v1alpha1: 1, v1beta1: 9 }],
  'discovery.k8s.io': [16_200, { v1: 15, v1beta1: 12 }],
  'resource.k8s.io': [16_200, { v1: 21, v1beta2: 15, v1beta1: 9, v1alpha3: 1 }],
  'flowcontrol.apiserver.k8s.io': [16_100, { v1: 21, v1beta3: 18, v1beta2: 15, v1beta1: 12, v1alpha1: 9 }],
  'internal.apiserver.k8s.io': [16_000, { v1alpha1: 9 }],
  'storagemigration.k8s.io': [15_800, { v1beta1: 9 }],
}

/** Undefined for what is not built in, and for this group itself, which is never registered. */
export function builtinPriority(group: string, version: string): Priority | undefined {
  const [minimum, versions] = table[group] ?? []
  const own = versions?.[version]
  return minimum === undefined || own === undefined ? undefined : { group: minimum, version: own }
}

/** A group-version with where it wants to stand. */
export interface Placed {
  readonly group: string
  readonly version: string
  readonly priority: Priority
}

/** What this server serves itself. */
export function localPriority(group: string, version: string): Priority {
  if (group === 'apiregistration.k8s.io') return registration
  return builtinPriority(group, version) ?? customPriority
}

export interface PlacedGroup<T extends Placed> {
  readonly name: string
  /** The preferred one first. */
  readonly versions: readonly T[]
}

/** Groups by the highest minimum of their versions, then by name; versions by priority, then as Kubernetes orders them. */
export function inOrder<T extends Placed>(all: readonly T[]): readonly PlacedGroup<T>[] {
  const groups = [...Map.groupBy(all, ({ group }) => group)].map(([name, versions]) => ({
    name,
    versions: versions.toSorted((a, b) => b.priority.version - a.priority.version || compareVersions(a.version, b.version)),
    top: Math.max(...versions.map(({ priority }) => priority.group)),
  }))
  return groups.sort((a, b) => b.top - a.top || (a.name < b.name ? -1 : 1))
}

/** Stable before beta before alpha, higher numbers first; what is no such version comes last, by name (apimachinery/pkg/version/helpers.go). */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [parse(a), parse(b)]
  for (let i = 0; i < 3; i++) if (left[i] !== right[i]) return (right[i] ?? 0) - (left[i] ?? 0)
  return a < b ? -1 : a > b ? 1 : 0
}

function parse(version: string): readonly [stability: number, major: number, minor: number] {
  const match = /^v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?$/.exec(version)
  if (match === null) return [0, 0, 0]
  return [match[2] === undefined ? 3 : match[2] === 'beta' ? 2 : 1, Number(match[1]), Number(match[3] ?? 0)]
}
