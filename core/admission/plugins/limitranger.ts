/**
 * LimitRanger: a namespace's LimitRanges give containers default requests and limits, and refuse pods and claims outside their
 * bounds (plugin/pkg/admission/limitranger).
 */
import { canonicalText, compareQuantities, quantityMilli } from '../../api/quantity.ts'
import { isBeingDeleted } from '../../api/meta.ts'
import { limitRanges } from '../../api/core/limitrange.ts'
import { podQuantities, type Quantities } from '../../api/core/quota.ts'
import type { Container, LimitRangeItem, PersistentVolumeClaim, Pod } from '../../api/schema/types.ts'
import { isAbout, objectOf, refuse, type AdmissionDeps } from '../deps.ts'
import type { AdmissionPlugin, AdmissionRequest } from '../plugin.ts'

const annotation = 'kubernetes.io/limit-ranger'

export function limitRanger({ lookup }: AdmissionDeps): AdmissionPlugin {
  const items = (request: AdmissionRequest): readonly LimitRangeItem[][] =>
    lookup.list(limitRanges, request.namespace).map((range) => range.spec?.limits ?? [])
  return {
    name: 'LimitRanger',
    handles: (request) => request.oldObject === undefined || !isBeingDeleted(request.oldObject)
      ? (request.operation === 'CREATE' && (isAbout(request, '', 'pods') || isAbout(request, '', 'persistentvolumeclaims')))
        || (request.operation === 'UPDATE' && (isAbout(request, '', 'persistentvolumeclaims') || isAbout(request, '', 'pods', 'resize')))
      : false,
    async mutate(_ctx, request) {
      if (request.kind.plural === 'pods') for (const limits of items(request)) setDefaults(objectOf<Pod>(request), limits)
      return undefined
    },
    async validate(_ctx, request) {
      for (const limits of items(request)) {
        const errors = request.kind.plural === 'pods' ? podErrors(objectOf<Pod>(request), limits) : claimErrors(objectOf<PersistentVolumeClaim>(request), limits)
        if (errors.length > 0) return refuse(request, errors.length === 1 ? (errors[0] ?? '') : `[${errors.join(', ')}]`)
      }
      return undefined
    },
  }
}

function setDefaults(pod: Pod, limits: readonly LimitRangeItem[]): void {
  const own = limits.filter((l) => l.type === 'Container')
  const requests: Quantities = Object.assign({}, ...own.map((l) => l.defaultRequest))
  const maxima: Quantities = Object.assign({}, ...own.map((l) => l.default))
  const notes: string[] = []
  const fill = (container: Container, what: string): void => {
    const resources = (container.resources ??= {})
    const merge = (key: 'requests' | 'limits', defaults: Quantities, word: string): void => {
      const missing = Object.keys(defaults).filter((name) => resources[key]?.[name] === undefined).toSorted()
      if (missing.length === 0) return
      resources[key] = { ...resources[key], ...Object.fromEntries(missing.map((name) => [name, String(defaults[name])])) }
      notes.push(`${missing.join(', ')} ${word} for ${what} ${container.name}`)
    }
    merge('requests', requests, 'request')
    merge('limits', maxima, 'limit')
  }
  for (const c of pod.spec?.containers ?? []) fill(c, 'container')
  for (const c of pod.spec?.initContainers ?? []) fill(c, 'init container')
  if (notes.length > 0) pod.metadata.annotations = { ...pod.metadata.annotations, [annotation]: `LimitRanger plugin set: ${notes.join('; ')}` }
}

function podErrors(pod: Readonly<Pod>, limits: readonly LimitRangeItem[]): string[] {
  const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])]
  return limits.flatMap((limit) => {
    if (limit.type === 'Container') return containers.flatMap((c) => bounds(limit, c.resources?.requests ?? {}, c.resources?.limits ?? {}))
    return limit.type === 'Pod' ? bounds(limit, podQuantities(pod, 'requests', false), podQuantities(pod, 'limits', false)) : []
  })
}

function claimErrors(claim: Readonly<PersistentVolumeClaim>, limits: readonly LimitRangeItem[]): string[] {
  const requests: Quantities = claim.spec?.resources?.requests ?? {}
  return limits.filter((l) => l.type === 'PersistentVolumeClaim').flatMap((limit) => [
    ...each(limit.min, (name, bound) => belowMin(limit.type, name, bound, requests[name], undefined)),
    ...each(limit.max, (name, bound) => {
      const own = requests[name]
      const head = `maximum ${name} usage per ${limit.type} is ${canonicalText(bound)}`
      if (own === undefined) return `${head}.  No request is specified`
      return compareQuantities(own, bound) > 0 ? `${head}, but request is ${canonicalText(own)}` : undefined
    }),
  ])
}

function bounds(limit: LimitRangeItem, requests: Quantities, maxima: Quantities): string[] {
  return [
    ...each(limit.min, (name, bound) => belowMin(limit.type, name, bound, requests[name], maxima[name])),
    ...each(limit.max, (name, bound) => aboveMax(limit.type, name, bound, requests[name], maxima[name])),
    ...each(limit.maxLimitRequestRatio, (name, bound) => aboveRatio(limit.type, name, bound, requests[name], maxima[name])),
  ]
}

type Quantity = string | number | undefined

function belowMin(type: string, name: string, bound: string | number, request: Quantity, limit: Quantity): string | undefined {
  const head = `minimum ${name} usage per ${type} is ${canonicalText(bound)}`
  if (request === undefined) return `${head}.  No request is specified`
  if (compareQuantities(request, bound) < 0) return `${head}, but request is ${canonicalText(request)}`
  return limit !== undefined && compareQuantities(limit, bound) < 0 ? `${head}, but limit is ${canonicalText(limit)}` : undefined
}

function aboveMax(type: string, name: string, bound: string | number, request: Quantity, limit: Quantity): string | undefined {
  const head = `maximum ${name} usage per ${type} is ${canonicalText(bound)}`
  if (limit === undefined) return `${head}.  No limit is specified`
  if (compareQuantities(limit, bound) > 0) return `${head}, but limit is ${canonicalText(limit)}`
  return request !== undefined && compareQuantities(request, bound) > 0 ? `${head}, but request is ${canonicalText(request)}` : undefined
}

function aboveRatio(type: string, name: string, bound: string | number, request: Quantity, limit: Quantity): string | undefined {
  const head = `${name} max limit to request ratio per ${type} is ${canonicalText(bound)}`
  const [asked, most] = [quantityMilli(request ?? 0), quantityMilli(limit ?? 0)]
  if (asked === 0) return `${head}, but no request is specified or request is 0`
  if (most === 0) return `${head}, but no limit is specified or limit is 0`
  return (most / asked) * 1000 > quantityMilli(bound) ? `${head}, but provided ratio is ${(most / asked).toFixed(6)}` : undefined
}

function each(bounds: Quantities | undefined, check: (name: string, bound: string | number) => string | undefined): string[] {
  return Object.entries(bounds ?? {}).flatMap(([name, bound]) => check(name, bound) ?? [])
}
