/**
 * ResourceQuota: what would exceed a quota of its namespace is refused; what is admitted is charged at once, in the quota's
 * status, so that two writers never share the last of it (apiserver/pkg/admission/plugin/resourcequota). What uses how much is
 * core/api/core/quota.ts; counting again, and giving back, is the quota controller's.
 */
import type { Ctx } from '../../lib/ctx.ts'
import { isApiError, type ApiError } from '../../api/errors.ts'
import { compareQuantities } from '../../api/quantity.ts'
import { resourceQuotas } from '../../api/core/resourcequota.ts'
import { addAll, computeUsage, onlyNames, quantitiesText, resourcesOfKind, scopesSelect, subtractAll, usageOf, type Quantities } from '../../api/core/quota.ts'
import type { KubeObject } from '../../api/meta.ts'
import type { Pod, ResourceQuota } from '../../api/schema/types.ts'
import { refuse, type AdmissionDeps } from '../deps.ts'
import type { AdmissionPlugin, AdmissionRequest } from '../plugin.ts'

/** Tries to charge a quota that somebody else writes too. */
const triesMax = 4
/** A quota that is charged must be asked for explicitly by every container: upstream's mistake of old, kept for these alone. */
const explicitResources = ['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory']

export function resourceQuota(deps: AdmissionDeps): AdmissionPlugin {
  /** Requests of one namespace are charged one after the other. */
  const turns = new Map<string, Promise<unknown>>()
  return {
    name: 'ResourceQuota',
    handles: (request) => request.namespace !== '' && charges(request),
    async validate(ctx, request) {
      if (deps.lookup.list(resourceQuotas, request.namespace).length === 0) return undefined
      const before = turns.get(request.namespace)
      const mine = (before ?? Promise.resolve()).then(() => charge(ctx, deps, request))
      const settled = mine.catch(() => undefined) // the next one's turn comes either way; this one's error goes to its own caller
      turns.set(request.namespace, settled)
      try {
        return await mine
      } finally {
        if (turns.get(request.namespace) === settled) turns.delete(request.namespace)
      }
    },
  }
}

/** What is counted when created; pods, services and claims also when an update changes what they use. */
function charges(request: AdmissionRequest): boolean {
  const own = request.kind.group === '' ? request.kind.plural : ''
  if (request.operation === 'CREATE') return request.subresource === '' && request.object !== undefined
  if (request.operation !== 'UPDATE') return false
  if (own === 'pods') {
    const deadline = (o: Readonly<KubeObject> | undefined): boolean => ((o as Readonly<Pod> | undefined)?.spec?.activeDeadlineSeconds ?? -1) >= 0
    return request.subresource === 'resize' || (request.subresource === '' && deadline(request.object) !== deadline(request.oldObject))
  }
  return request.subresource === '' && (own === 'services' || own === 'persistentvolumeclaims')
}

async function charge(ctx: Ctx, deps: AdmissionDeps, request: AdmissionRequest): Promise<ApiError | undefined> {
  const charged = new Set<string>() // by an earlier try: never twice
  for (let tries = 1; ; tries++) {
    const open = deps.lookup.list(resourceQuotas, request.namespace).filter((q) => !charged.has(q.metadata.name ?? ''))
    const next = decide(request, open, ctx.clock.now())
    if (next instanceof Error) return next
    if (request.dryRun) return undefined
    try {
      for (const quota of next) {
        await deps.client().update(ctx, resourceQuotas, quota, { subresource: 'status' })
        charged.add(quota.metadata.name ?? '')
      }
      return undefined
    } catch (error) {
      if (!isApiError(error, 'Conflict') || tries >= triesMax) throw error
    }
  }
}

/** The quotas as they are once the request is charged (only those that change), or why it may not be. */
export function decide(request: AdmissionRequest, quotas: readonly Readonly<ResourceQuota>[], now: number): readonly ResourceQuota[] | ApiError {
  const object = request.object as KubeObject
  const usage = usageOf(request.kind, object, now)
  const changed: ResourceQuota[] = []
  for (const quota of quotas) {
    const hard: Quantities = quota.status?.hard ?? {}
    const limited = resourcesOfKind(request.kind, Object.keys(hard))
    if (limited.length === 0 || !scopesSelect(quota, request.kind, object)) continue
    const silent = request.kind.group === '' && request.kind.plural === 'pods' ? unspecified(object as Pod, limited) : ''
    if (silent !== '') return refuse(request, `failed quota: ${quota.metadata.name}: must specify ${silent}`)
    const used: Quantities = quota.status?.used ?? {}
    if (limited.some((name) => used[name] === undefined)) {
      return refuse(request, `status unknown for quota: ${quota.metadata.name}, resources: ${limited.toSorted().join(',')}`)
    }
    const had = request.oldObject !== undefined && scopesSelect(quota, request.kind, request.oldObject) ? usageOf(request.kind, request.oldObject, now) : {}
    const delta = onlyNames(subtractAll(usage, had), limited)
    const more = Object.fromEntries(Object.entries(delta).filter(([, q]) => compareQuantities(q, 0) > 0))
    if (Object.keys(more).length === 0) continue
    const total = addAll(used, more)
    const over = Object.keys(more).filter((name) => compareQuantities(total[name] ?? 0, hard[name] ?? 0) > 0)
    if (over.length > 0) {
      const text = (all: Quantities): string => quantitiesText(onlyNames(all, over))
      return refuse(request, `exceeded quota: ${quota.metadata.name}, requested: ${text(more)}, used: ${text(used)}, limited: ${text(hard)}`)
    }
    changed.push({ ...quota, status: { ...quota.status, used: Object.fromEntries(Object.entries(total).map(([k, v]) => [k, String(v)])) } })
  }
  return changed
}

/** `cpu for: a,b; memory for: a`: containers that do not say what they use of a limited resource. */
function unspecified(pod: Readonly<Pod>, limited: readonly string[]): string {
  const { requests, limits } = pod.spec?.resources ?? {}
  if (requests !== undefined || limits !== undefined) return '' // pod-level resources stand for all containers
  const required = explicitResources.filter((name) => limited.includes(name))
  const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])]
  return required.toSorted().flatMap((name) => {
    const without = containers.filter((c) => computeUsage(c.resources?.requests ?? {}, c.resources?.limits ?? {})[name] === undefined)
    return without.length === 0 ? [] : [`${name} for: ${[...new Set(without.map((c) => c.name))].toSorted().join(',')}`]
  }).join('; ')
}
