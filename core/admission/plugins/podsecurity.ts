/**
 * PodSecurity: the pod security standards of a namespace's labels, enforced on pods and warned of on what makes pods
 * (k8s.io/pod-security-admission). The checks themselves are ../podsecurity/.
 */
import { forbidden, internal, invalid, type ApiError } from '../../api/errors.ts'
import { invalidValue, path, type FieldError } from '../../api/field.ts'
import type { KubeObject } from '../../api/meta.ts'
import { namespaces } from '../../api/core/namespace.ts'
import { pods } from '../../api/core/pod.ts'
import type { Container, CronJob, Deployment, Namespace, Pod, PodTemplate, PodTemplateSpec } from '../../api/schema/types.ts'
import type { Lookup } from '../../auth/lookup.ts'
import { detailOf, reasonOf, violations, type Level, type Standard, type Violation } from '../podsecurity/standard.ts'
import { isAbout, objectOf, oldObjectOf, type AdmissionDeps } from '../deps.ts'
import type { AdmissionPlugin, AdmissionRequest } from '../plugin.ts'

interface Policy {
  readonly enforce: Standard
  readonly warn: Standard
}

const prefix = 'pod-security.kubernetes.io/'
const levels: readonly string[] = ['privileged', 'baseline', 'restricted']
const templates = new Set(['/replicationcontrollers', '/podtemplates', 'apps/replicasets', 'apps/deployments', 'apps/statefulsets', 'apps/daemonsets', 'batch/jobs', 'batch/cronjobs'])
const ignoredSubresources = new Set(['exec', 'attach', 'binding', 'eviction', 'log', 'portforward', 'proxy', 'status'])
/** Pods of a namespace that are looked at when its level is raised. */
const namespacePodsMax = 3_000

export function podSecurity({ lookup }: AdmissionDeps): AdmissionPlugin {
  return {
    name: 'PodSecurity',
    handles: (request) => (request.operation === 'CREATE' || request.operation === 'UPDATE') && (
      isAbout(request, '', 'namespaces')
      || (request.kind.group === '' && request.kind.plural === 'pods' && !ignoredSubresources.has(request.subresource))
      || (request.subresource === '' && templates.has(`${request.kind.group}/${request.kind.plural}`))),
    async validate(_ctx, request) {
      if (request.kind.group === '' && request.kind.plural === 'namespaces') return namespaceRefusal(lookup, request)
      const namespace = lookup.get(namespaces, { namespace: '', name: request.namespace })
      const isPod = request.kind.group === '' && request.kind.plural === 'pods'
      if (namespace === undefined) return isPod ? internal(`failed to lookup namespace ${JSON.stringify(request.namespace)}`) : undefined
      const { policy } = policyOf(namespace.metadata.labels)
      if (policy.warn.level === 'privileged' && (policy.enforce.level === 'privileged' || !isPod)) return undefined
      const template = isPod ? objectOf<Pod>(request) : templateOf(request)
      if (template?.spec === undefined) return undefined
      if (isPod && request.operation === 'UPDATE' && !matters(objectOf<Pod>(request), oldObjectOf<Pod>(request))) return undefined
      const enforced = isPod ? violations(policy.enforce, template.metadata ?? {}, template.spec) : []
      if (enforced.length > 0) return podRefusal(request, policy.enforce, enforced)
      const warned = violations(policy.warn, template.metadata ?? {}, template.spec)
      if (warned.length > 0) request.warn(`would violate PodSecurity ${name(policy.warn)}: ${detailOf(warned)}`)
      return undefined
    },
  }
}

function podRefusal(request: AdmissionRequest, standard: Standard, found: readonly Violation[]): ApiError {
  const own = request.name === '' ? (request.object?.metadata.name ?? '') : request.name
  return forbidden({ group: '', resource: 'pods' }, own, `violates PodSecurity ${name(standard)}: ${detailOf(found)}`)
}

/** Labels must be readable; when the enforced level rises, existing pods that fall short are warned of. */
function namespaceRefusal(lookup: Lookup, request: AdmissionRequest): ApiError | undefined {
  const namespace = objectOf<Namespace>(request)
  const next = policyOf(namespace.metadata.labels)
  const prev = request.operation === 'UPDATE' ? policyOf(oldObjectOf<Namespace>(request).metadata.labels) : undefined
  const same = prev !== undefined && JSON.stringify(prev.errors) === JSON.stringify(next.errors)
  if (next.errors.length > 0 && !same) return invalid({ group: '', kind: 'Namespace' }, namespace.metadata.name ?? '', next.errors)
  if (prev === undefined) return undefined
  const [want, had] = [next.policy.enforce, prev.policy.enforce]
  const relaxed = want.version === had.version && levels.indexOf(want.level) <= levels.indexOf(had.level)
  if (want.level === 'privileged' || relaxed) return undefined
  for (const warning of existingPods(lookup, namespace.metadata.name ?? '', want)) request.warn(warning)
  return undefined
}

function existingPods(lookup: Lookup, namespace: string, standard: Standard): readonly string[] {
  const all = lookup.list(pods, namespace)
  const byReason = new Map<string, string[]>()
  for (const pod of all.slice(0, namespacePodsMax)) {
    const found = pod.spec === undefined ? [] : violations(standard, pod.metadata, pod.spec)
    if (found.length === 0) continue
    const reason = reasonOf(found)
    byReason.set(reason, [...(byReason.get(reason) ?? []), pod.metadata.name ?? ''])
  }
  const lines = [...byReason].map(([reason, names]) => {
    const first = names.toSorted()[0]
    const others = names.length - 1
    return `${first}${others === 0 ? '' : ` (and ${others} other pod${others === 1 ? '' : 's'})`}: ${reason}`
  })
  return [
    ...(all.length > namespacePodsMax ? [`new PodSecurity enforce level only checked against the first ${namespacePodsMax} of ${all.length} existing pods`] : []),
    ...(lines.length > 0 ? [`existing pods in namespace ${JSON.stringify(namespace)} violate the new PodSecurity enforce level ${name(standard)}`] : []),
    ...lines.toSorted(),
  ]
}

/** What the labels ask for: unreadable enforcement is the strictest, unreadable warnings are none. */
function policyOf(labels: Readonly<Record<string, string>> | undefined): { readonly policy: Policy; readonly errors: readonly FieldError[] } {
  const errors: FieldError[] = []
  const bad = (label: string, value: string, why: string): void => void errors.push(invalidValue(path('metadata', 'labels').key(label), value, why))
  const read = (mode: string, worst: Level): { level: Level; version: string; hasLevel: boolean; hasVersion: boolean; good: boolean } => {
    const [level, version] = [labels?.[prefix + mode], labels?.[`${prefix}${mode}-version`]]
    const good = level === undefined || levels.includes(level)
    if (!good) bad(prefix + mode, level, `must be one of ${levels.join(', ')}`)
    const readable = version === undefined || /^(latest|v1\.(0|[1-9][0-9]*))$/.test(version)
    if (!readable) bad(`${prefix}${mode}-version`, version, 'must be "latest" or "v1.x"')
    return {
      level: level === undefined ? 'privileged' : good ? (level as Level) : worst,
      version: readable && version !== undefined ? version : 'latest',
      hasLevel: level !== undefined, hasVersion: version !== undefined, good,
    }
  }
  const enforce = read('enforce', 'restricted')
  read('audit', 'privileged')
  const warn = read('warn', 'privileged')
  // without a word about warnings, they follow what is enforced
  const follows = !warn.hasLevel && enforce.hasLevel && enforce.good && enforce.level !== 'privileged'
  return {
    errors,
    policy: {
      enforce: { level: enforce.level, version: enforce.version },
      warn: follows ? { level: enforce.level, version: warn.hasVersion ? warn.version : enforce.version } : { level: warn.level, version: warn.version },
    },
  }
}

function templateOf(request: AdmissionRequest): PodTemplateSpec | undefined {
  if (request.kind.plural === 'podtemplates') return objectOf<PodTemplate>(request).template
  if (request.kind.plural === 'cronjobs') return objectOf<CronJob>(request).spec?.jobTemplate.spec?.template
  return objectOf<KubeObject & Pick<Deployment, 'spec'>>(request).spec?.template
}

/** Whether an update changes what the standards look at: images, and containers that come or go. */
function matters(next: Readonly<Pod>, prev: Readonly<Pod>): boolean {
  const images = (pod: Readonly<Pod>): readonly (readonly Container[])[] => [pod.spec?.containers ?? [], pod.spec?.initContainers ?? []]
  const changed = images(next).some((list, i) => {
    const old = images(prev)[i] ?? []
    return list.length !== old.length || list.some((c, j) => c.image !== old[j]?.image)
  })
  const before = new Map((prev.spec?.ephemeralContainers ?? []).map((c) => [c.name, c.image]))
  return changed || (next.spec?.ephemeralContainers ?? []).some((c) => !before.has(c.name) || before.get(c.name) !== c.image)
}

function name(standard: Standard): string {
  return JSON.stringify(`${standard.level}:${standard.version}`)
}
