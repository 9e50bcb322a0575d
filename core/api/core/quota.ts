/**
 * What an object uses of a quota, and whether a quota looks at it: shared by admission, which charges before a write, and the
 * quota controller, which counts again (k8s.io/kubernetes/pkg/quota/v1/evaluator/core). Quantities keep the form people wrote.
 */
import { addQuantities, canonicalText, compareQuantities, largerQuantity } from '../quantity.ts'
import type { KubeObject } from '../meta.ts'
import { devicesSuffix, devicesUsed } from '../resource/devicequota.ts'
import type { PersistentVolumeClaim, Pod, PodAffinityTerm, ResourceClaim, ResourceQuota, ScopedResourceSelectorRequirement, Service } from '../schema/types.ts'
import { qosClass } from './podresources.ts'

export type Quantities = Readonly<Record<string, string | number>>

interface Named {
  readonly group: string
  readonly plural: string
}

const computeResources = new Set([
  'cpu', 'memory', 'ephemeral-storage', 'requests.cpu', 'requests.memory', 'requests.ephemeral-storage',
  'limits.cpu', 'limits.memory', 'limits.ephemeral-storage', 'pods',
])
const serviceResources = new Set(['services', 'services.nodeports', 'services.loadbalancers'])
const countAliases = new Set(['configmaps', 'resourcequotas', 'replicationcontrollers', 'secrets'])
const claimResources = ['persistentvolumeclaims', 'requests.storage']
const classInfix = '.storageclass.storage.k8s.io/'

/** Name under which all objects of a kind are counted: count/deployments.apps. */
export function countName(kind: Named): string {
  return kind.group === '' ? `count/${kind.plural}` : `count/${kind.plural}.${kind.group}`
}

/** Of a quota's resources, those that objects of this kind use. */
export function resourcesOfKind(kind: Named, names: readonly string[]): readonly string[] {
  const own = kind.group === '' ? kind.plural : ''
  return names.filter((name) => {
    if (name === countName(kind)) return true
    if (hasDevices(kind)) return name.endsWith(devicesSuffix)
    if (own === 'pods') return computeResources.has(name) || name.startsWith('hugepages-') || name.startsWith('requests.hugepages-') || isExtendedRequest(name)
    if (own === 'services') return serviceResources.has(name)
    if (own === 'persistentvolumeclaims') return claimResources.some((r) => name === r || name.endsWith(classInfix + r))
    return countAliases.has(own) && name === own
  })
}

const hasDevices = (kind: Named): boolean => kind.group === 'resource.k8s.io' && kind.plural === 'resourceclaims'

/** `requests.example.com/gpu`: extended resources are counted by their requests. */
function isExtendedRequest(name: string): boolean {
  return name.startsWith('requests.') && name.includes('/') && !name.includes('kubernetes.io/')
}

export function usageOf(kind: Named, object: Readonly<KubeObject>, now: number): Quantities {
  const count = { [countName(kind)]: '1' }
  const own = kind.group === '' ? kind.plural : ''
  if (hasDevices(kind)) return { ...count, ...devicesUsed(object as Readonly<ResourceClaim>) }
  if (own === 'pods') return { ...count, ...podUsage(object as Readonly<Pod>, now) }
  if (own === 'services') return { ...count, ...serviceUsage(object as Readonly<Service>) }
  if (own === 'persistentvolumeclaims') return { ...count, ...claimUsage(object as Readonly<PersistentVolumeClaim>) }
  return countAliases.has(own) ? { ...count, [own]: '1' } : count
}

/** Whether the quota's scopes select the object. Only pods (and claims by their attributes class) have scopes. */
export function scopesSelect(quota: Readonly<ResourceQuota>, kind: Named, object: Readonly<KubeObject>): boolean {
  const scopes = [
    ...(quota.spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists' })),
    ...(quota.spec?.scopeSelector?.matchExpressions ?? []),
  ]
  if (scopes.length === 0) return true
  if (kind.group !== '') return false
  if (kind.plural === 'persistentvolumeclaims') return scopes.every((s) => claimInScope(object as Readonly<PersistentVolumeClaim>, s))
  return kind.plural === 'pods' && scopes.every((s) => podInScope(object as Readonly<Pod>, s))
}

function podInScope(pod: Readonly<Pod>, scope: Readonly<ScopedResourceSelectorRequirement>): boolean {
  switch (scope.scopeName) {
    case 'Terminating':
      return (pod.spec?.activeDeadlineSeconds ?? -1) >= 0
    case 'NotTerminating':
      return (pod.spec?.activeDeadlineSeconds ?? -1) < 0
    case 'BestEffort':
      return qosClass(pod) === 'BestEffort'
    case 'NotBestEffort':
      return qosClass(pod) !== 'BestEffort'
    case 'PriorityClass':
      return selects(scope, pod.spec?.priorityClassName)
    case 'CrossNamespacePodAffinity':
      return crossesNamespaces(pod)
    default:
      return false
  }
}

function claimInScope(claim: Readonly<PersistentVolumeClaim>, scope: Readonly<ScopedResourceSelectorRequirement>): boolean {
  if (scope.scopeName !== 'VolumeAttributesClass') return false
  const names = [claim.spec?.volumeAttributesClassName, claim.status?.currentVolumeAttributesClassName, claim.status?.modifyVolumeStatus?.targetVolumeAttributesClassName]
  const given = names.filter((n) => n !== undefined && n !== '')
  return given.length === 0 ? selects(scope, undefined) : given.some((n) => selects(scope, n))
}

function selects(scope: Readonly<ScopedResourceSelectorRequirement>, value: string | undefined): boolean {
  const given = value !== undefined && value !== ''
  if (scope.operator === 'In') return given && (scope.values ?? []).includes(value)
  if (scope.operator === 'NotIn') return !given || !(scope.values ?? []).includes(value)
  return scope.operator === 'Exists' ? given : !given
}

function crossesNamespaces(pod: Readonly<Pod>): boolean {
  const crosses = (t: Readonly<PodAffinityTerm>): boolean => (t.namespaces ?? []).length > 0 || t.namespaceSelector !== undefined
  return [pod.spec?.affinity?.podAffinity, pod.spec?.affinity?.podAntiAffinity].some((a) =>
    (a?.requiredDuringSchedulingIgnoredDuringExecution ?? []).some(crosses)
    || (a?.preferredDuringSchedulingIgnoredDuringExecution ?? []).some((w) => crosses(w.podAffinityTerm)))
}

/** Pods that have ended, or should have been gone by now, use no compute resources. */
function podUsage(pod: Readonly<Pod>, now: number): Quantities {
  const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata
  const overdue = deletionTimestamp !== undefined && deletionGracePeriodSeconds !== undefined
    && now > Date.parse(String(deletionTimestamp)) + deletionGracePeriodSeconds * 1000
  if (pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded' || overdue) return {}
  return { pods: '1', ...computeUsage(podQuantities(pod, 'requests', true), podQuantities(pod, 'limits', true)) }
}

/** Names that requests and limits have in quotas. */
export function computeUsage(requests: Quantities, limits: Quantities): Quantities {
  const used: Record<string, string | number> = {}
  for (const [name, value] of Object.entries(requests)) {
    if (name === 'cpu' || name === 'memory' || name === 'ephemeral-storage' || name.startsWith('hugepages-')) used[name] = used[`requests.${name}`] = value
    else if (name.includes('/') && !name.includes('kubernetes.io/')) used[`requests.${name}`] = value
  }
  for (const name of ['cpu', 'memory', 'ephemeral-storage']) if (limits[name] !== undefined) used[`limits.${name}`] = limits[name]
  return used
}

function serviceUsage(service: Readonly<Service>): Quantities {
  const ports = service.spec?.ports ?? []
  const balanced = service.spec?.type === 'LoadBalancer'
  const explicit = balanced && service.spec?.allocateLoadBalancerNodePorts === false
  const counted = explicit ? ports.filter((p) => (p.nodePort ?? 0) !== 0).length : balanced || service.spec?.type === 'NodePort' ? ports.length : 0
  return { services: '1', 'services.nodeports': String(counted), 'services.loadbalancers': balanced ? '1' : '0' }
}

function claimUsage(claim: Readonly<PersistentVolumeClaim>): Quantities {
  const storageClass = claim.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? claim.spec?.storageClassName ?? ''
  const asked = claim.spec?.resources?.requests?.['storage']
  const allocated = claim.status?.allocatedResources?.['storage']
  const storage = asked === undefined || allocated === undefined ? asked : largerQuantity(String(asked), String(allocated))
  const used: Record<string, string | number> = { persistentvolumeclaims: '1', ...(storage === undefined ? {} : { 'requests.storage': storage }) }
  if (storageClass !== '') for (const name of claimResources) if (used[name] !== undefined) used[storageClass + classInfix + name] = used[name]
  return used
}

/** Of the pod as a whole: what runs together is added, what runs before counts by its largest, with the sidecars started before it. */
export function podQuantities(pod: Readonly<Pod>, which: 'requests' | 'limits', withOverhead: boolean): Quantities {
  const start: Record<string, string> = {}
  const raise = (more: Quantities): void => {
    for (const [name, q] of Object.entries(more)) start[name] = start[name] === undefined ? String(q) : largerQuantity(start[name], String(q))
  }
  let [total, sidecars]: [Quantities, Quantities] = [{}, {}]
  for (const c of pod.spec?.containers ?? []) total = addAll(total, c.resources?.[which] ?? {})
  for (const c of pod.spec?.initContainers ?? []) {
    const own = c.resources?.[which] ?? {}
    if (c.restartPolicy === 'Always') {
      total = addAll(total, own)
      sidecars = addAll(sidecars, own)
      raise(sidecars)
    } else raise(addAll(sidecars, own))
  }
  const all: Record<string, string | number> = { ...total }
  for (const [name, q] of Object.entries(start)) all[name] = all[name] === undefined ? q : largerQuantity(String(all[name]), q)
  const podLevel = pod.spec?.resources?.[which] ?? {}
  for (const name in podLevel) if (name === 'cpu' || name === 'memory' || name.startsWith('hugepages-')) all[name] = podLevel[name] ?? 0
  if (!withOverhead) return all
  const overhead = Object.entries(pod.spec?.overhead ?? {}).filter(([name]) => which === 'requests' || all[name] !== undefined)
  return addAll(all, Object.fromEntries(overhead))
}

export function addAll(a: Quantities, b: Quantities): Quantities {
  const sum: Record<string, string | number> = { ...a }
  for (const [name, q] of Object.entries(b)) sum[name] = sum[name] === undefined ? q : addQuantities(String(sum[name]), String(q))
  return sum
}

/** a - b, nothing below zero. */
export function subtractAll(a: Quantities, b: Quantities): Quantities {
  return Object.fromEntries(Object.entries(a).map(([name, q]) => {
    const less = b[name]
    if (less === undefined) return [name, q]
    return [name, compareQuantities(q, less) <= 0 ? '0' : addQuantities(String(q), negated(String(less)))]
  }))
}

function negated(quantity: string): string {
  return quantity.startsWith('-') ? quantity.slice(1) : `-${quantity.replace(/^\+/, '')}`
}

export function onlyNames(all: Quantities, names: readonly string[]): Quantities {
  return Object.fromEntries(names.flatMap((name) => (all[name] === undefined ? [] : [[name, all[name]]])))
}

/** `cpu=1,memory=2Gi`. */
export function quantitiesText(all: Quantities): string {
  return Object.keys(all).toSorted().map((name) => `${name}=${canonicalText(all[name] ?? '')}`).join(',')
}
