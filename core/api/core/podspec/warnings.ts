/** What a client should hear of a pod spec that is taken all the same (k8s.io/kubernetes/pkg/api/pod/warnings.go, pkg/api/node/util.go). */
import { ipWarnings } from '../../checks.ts'
import { equalJson } from '../../../lib/json.ts'
import { Path } from '../../field.ts'
import { labelValue } from '../../names.ts'
import { quantityMilli } from '../../quantity.ts'
import type * as k from '../../schema/types.ts'
import { claimWarnings } from '../claimspec.ts'
import { appArmorOf } from './annotations.ts'
import { overlapWarnings } from './overlaps.ts'
import { placed } from './spec.ts'

export const deprecatedNodeLabels: Readonly<Record<string, string>> = {
  'beta.kubernetes.io/arch': 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  'beta.kubernetes.io/os': 'deprecated since v1.14; use "kubernetes.io/os" instead',
  'failure-domain.beta.kubernetes.io/region': 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  'failure-domain.beta.kubernetes.io/zone': 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  'beta.kubernetes.io/instance-type': 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
  'app.kubernetes.io/created-by': 'deprecated since v1.9',
  'scheduler.alpha.kubernetes.io/preferAvoidPods': 'deprecated since v1.22; use Taints and Tolerations instead',
  'node-role.kubernetes.io/master': 'use "node-role.kubernetes.io/control-plane" instead',
}

const deprecatedAnnotations: Readonly<Record<string, string>> = {
  'scheduler.alpha.kubernetes.io/critical-pod': 'non-functional in v1.16+; use the "priorityClassName" field instead',
  'security.alpha.kubernetes.io/sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
  'security.alpha.kubernetes.io/unsafe-sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
}

const deprecatedVolumes: readonly (readonly [keyof k.Volume, string, string])[] = [
  ['photonPersistentDisk', 'photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['gitRepo', 'gitRepo', 'deprecated in v1.11, and disabled by default in v1.33+'],
  ['scaleIO', 'scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['flocker', 'flocker', 'deprecated in v1.22, non-functional in v1.25+'],
  ['storageos', 'storageOS', 'deprecated in v1.22, non-functional in v1.25+'],
  ['quobyte', 'quobyte', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['cephfs', 'cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['rbd', 'rbd', 'deprecated in v1.28, non-functional in v1.31+'],
]

/** `at`: where the template stands; the root for a pod itself. */
export function podWarnings(spec: Readonly<k.PodSpec>, meta: Readonly<k.ObjectMeta>, at: Path): string[] {
  const here = at.child('spec')
  const containers = placed(spec, here)
  const warnings: string[] = []
  const warn = (place: Path, text: string): void => void warnings.push(`${place.text}: ${text}`)
  nodeLabels(warn, spec, here)
  for (const [key, text] of Object.entries(deprecatedAnnotations)) if (meta.annotations?.[key] !== undefined) warn(at.child('metadata', 'annotations').key(key), text)
  spec.volumes?.forEach((volume, i) => {
    const place = here.child('volumes').index(i)
    for (const [field, name, text] of deprecatedVolumes) if (volume[field] !== undefined) warn(place.child(name), text)
    const template = volume.ephemeral?.volumeClaimTemplate
    if (template !== undefined) warnings.push(...claimWarnings(template.spec, place.child('ephemeral', 'volumeClaimTemplate', 'spec')))
  })
  warnings.push(...overlapWarnings(spec.volumes ?? []))
  duplicates(warn, (spec.hostAliases ?? []).map((alias) => alias.ip), here.child('hostAliases'), 'ip')
  duplicates(warn, (spec.imagePullSecrets ?? []).map((secret) => secret.name ?? ''), here.child('imagePullSecrets'), 'name')
  spec.imagePullSecrets?.forEach((secret, i) => {
    if ((secret.name ?? '') === '') warn(here.child('imagePullSecrets').index(i).child('name'), 'invalid empty name ""')
  })
  for (const name of ['memory', 'ephemeral-storage']) fraction(warn, spec.overhead?.[name], here.child('overhead').key(name))
  oldAnnotations(warn, spec, meta, at, containers)
  for (const [container, place] of containers) amounts(warn, container, place)
  ports(warn, containers)
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) warn(here.child('terminationGracePeriodSeconds'), 'must be >= 0; negative values are invalid and will be treated as 1')
  nullSelectors(warn, spec, here)
  spec.dnsConfig?.nameservers?.forEach((ip, i) => warnings.push(...ipWarnings(here.child('dnsConfig', 'nameservers').index(i), ip)))
  spec.hostAliases?.forEach((alias, i) => warnings.push(...ipWarnings(here.child('hostAliases').index(i).child('ip'), alias.ip)))
  return warnings
}

export function templateWarnings(template: Readonly<k.PodTemplateSpec>, at: Path): string[] {
  return podWarnings(template.spec ?? { containers: [] }, template.metadata ?? {}, at)
}

type Warn = (place: Path, text: string) => void
type Placed = ReturnType<typeof placed>

function nodeLabels(warn: Warn, spec: Readonly<k.PodSpec>, at: Path): void {
  for (const key in spec.nodeSelector) if (deprecatedNodeLabels[key] !== undefined) warn(at.child('nodeSelector').key(key), deprecatedNodeLabels[key])
  const affinity = spec.affinity?.nodeAffinity
  const here = at.child('affinity', 'nodeAffinity')
  affinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms?.forEach((term, i) =>
    termWarnings(term, false, here.child('requiredDuringSchedulingIgnoredDuringExecution', 'nodeSelectorTerms').index(i), warn))
  affinity?.preferredDuringSchedulingIgnoredDuringExecution?.forEach((term, i) =>
    termWarnings(term.preference, true, here.child('preferredDuringSchedulingIgnoredDuringExecution').index(i).child('preference'), warn))
  spec.topologySpreadConstraints?.forEach((constraint, i) => {
    const place = at.child('topologySpreadConstraints').index(i)
    const text = deprecatedNodeLabels[constraint.topologyKey]
    if (text !== undefined) warn(place.child('topologyKey'), `${constraint.topologyKey} is ${text}`)
    if (constraint.labelSelector === undefined) warn(place.child('labelSelector'), 'a null labelSelector results in matching no pod')
  })
}

export function termWarnings(term: Readonly<k.NodeSelectorTerm>, values: boolean, at: Path, warn: Warn): void {
  term.matchExpressions?.forEach((expression, i) => {
    const place = at.child('matchExpressions').index(i)
    const text = deprecatedNodeLabels[expression.key]
    if (text !== undefined) warn(place.child('key'), `${expression.key} is ${text}`)
    if (!values) return
    expression.values?.forEach((value, j) => {
      for (const wrong of labelValue(value)) warn(place.child('values').index(j), `${value} is invalid, ${wrong}`)
    })
  })
}

function duplicates(warn: Warn, values: readonly string[], at: Path, field: string): void {
  values.forEach((value, i) => {
    if (values.indexOf(value) < i) warn(at.index(i).child(field), `duplicate ${field} ${JSON.stringify(value)}`)
  })
}

function fraction(warn: Warn, quantity: string | undefined, at: Path): void {
  if (quantity !== undefined && quantityMilli(quantity) % 1_000 !== 0) warn(at, `fractional byte value ${JSON.stringify(quantity)} is invalid, must be an integer`)
}

function oldAnnotations(warn: Warn, spec: Readonly<k.PodSpec>, meta: Readonly<k.ObjectMeta>, at: Path, containers: Placed): void {
  const here = at.child('metadata', 'annotations')
  const seccomp = 'seccomp.security.alpha.kubernetes.io/pod'
  const gone = 'non-functional in v1.27+; use the "seccompProfile" field instead'
  if (spec.securityContext?.seccompProfile === undefined && meta.annotations?.[seccomp] !== undefined) warn(here.key(seccomp), gone)
  for (const [container] of containers) {
    const key = `container.seccomp.security.alpha.kubernetes.io/${container.name}`
    if (container.securityContext?.seccompProfile === undefined && meta.annotations?.[key] !== undefined) warn(here.key(key), gone)
    const old = appArmorOf(meta.annotations, container.name)
    if (old === undefined || container.securityContext?.appArmorProfile !== undefined) continue
    const ofPod = spec.securityContext?.appArmorProfile
    if (old.profile === undefined || !equalJson(ofPod, old.profile)) warn(here.key(old.key), 'deprecated since v1.30; use the "appArmorProfile" field instead')
  }
}

function amounts(warn: Warn, container: Readonly<k.Container>, at: Path): void {
  for (const name of ['memory', 'ephemeral-storage']) {
    for (const side of ['limits', 'requests'] as const) fraction(warn, container.resources?.[side]?.[name], at.child('resources', side).key(name))
  }
  const names = new Set<string>()
  container.env?.forEach((entry, i) => {
    const self = `$(${entry.name})`
    const hides = entry.valueFrom !== undefined || entry.value === self || !(entry.value ?? '').includes(self)
    if (names.has(entry.name) && hides) warn(at.child('env').index(i), `hides previous definition of ${JSON.stringify(entry.name)}, which may be dropped when using apply`)
    names.add(entry.name)
  })
}

/** No answer has room for more. */
const portWarningsMax = 256

function ports(warn: Warn, containers: Placed): void {
  const all = containers.flatMap(([container, at]) => (container.ports ?? []).map((port, i) => ({ port, at: at.child('ports').index(i) })))
  const placed = new Map<string, (typeof all)[number][]>()
  let said = 0
  all.forEach((one) => {
    const { port, at } = one
    const { hostIP: ip = '', hostPort = 0 } = port
    if (ip !== '' && hostPort === 0) {
      warn(at, `hostIP set without hostPort: {Name:${port.name ?? ''} HostPort:0 ContainerPort:${port.containerPort} Protocol:${port.protocol ?? ''} HostIP:${ip}}`)
    }
    const key = `${port.containerPort} ${port.protocol ?? ''}`
    const before = placed.get(key) ?? []
    placed.set(key, before)
    for (const other of said < portWarningsMax ? before : []) {
      const { hostIP: otherIp = '', hostPort: otherPort = 0 } = other.port
      const what = ip === otherIp && hostPort === otherPort ? 'duplicate'
        : hostPort === 0 || otherPort === 0 ? 'overlapping'
        : hostPort === otherPort && (ip === '') !== (otherIp === '') ? 'dangerously ambiguous' : undefined
      if (what === undefined) continue
      warn(at, `${what} port definition with ${other.at.text}`)
      if (++said >= portWarningsMax) break
    }
    before.push(one)
  })
  const named = new Map<string, string>()
  all.forEach(({ port: { name = '' }, at }) => {
    if (name === '') return
    const first = named.get(name)
    if (first === undefined) named.set(name, at.text)
    else warn(at, `duplicate port name ${JSON.stringify(name)} with ${first}, services and probes that select ports by name will use ${first}`)
  })
}

function nullSelectors(warn: Warn, spec: Readonly<k.PodSpec>, at: Path): void {
  const text = 'a null labelSelector results in matching no pod'
  for (const field of ['podAffinity', 'podAntiAffinity'] as const) {
    const here = at.child('affinity', field)
    const affinity = spec.affinity?.[field]
    affinity?.requiredDuringSchedulingIgnoredDuringExecution?.forEach((term, i) => {
      if (term.labelSelector === undefined) warn(here.child('requiredDuringSchedulingIgnoredDuringExecution').index(i).child('labelSelector'), text)
    })
    affinity?.preferredDuringSchedulingIgnoredDuringExecution?.forEach((term, i) => {
      if (term.podAffinityTerm.labelSelector === undefined) {
        warn(here.child('preferredDuringSchedulingIgnoredDuringExecution').index(i).child('podAffinityTerm', 'labelSelector'), text)
      }
    })
  }
}
