/**
 * Which endpoint stands in which slice: it stays where it is; new ones fill slices that change anyhow, the fullest first,
 * then one that has room for all that are left, then new slices (upstream's reconcileByPortMapping). Pure.
 */
import type { Endpoint, EndpointSlice } from '../../api/schema/types.ts'
import { equalJson } from '../../lib/json.ts'
import type { Slices } from './hints.ts'

export const endpointsPerSliceMax = 100

/** By endpointKey(). */
export type Endpoints = Map<string, Endpoint>

/** What makes two endpoints the same one, whatever state it is in. */
export function endpointKey(endpoint: Readonly<Endpoint>): string {
  return `${endpoint.addresses.toSorted().join(',')}|${endpoint.targetRef?.uid ?? ''}|${endpoint.nodeName ?? ''}|${endpoint.hostname ?? ''}`
}

export interface Form {
  /** Of every slice. */
  readonly labels: Readonly<Record<string, string>>
  readonly make: (endpoints: Endpoint[]) => EndpointSlice
}

interface Draft {
  readonly slice: Readonly<EndpointSlice>
  readonly endpoints: Endpoint[]
}

export function place(want: Readonly<Endpoints>, slices: readonly Readonly<EndpointSlice>[], form: Form): Slices & { readonly remove: readonly Readonly<EndpointSlice>[] } {
  const left = new Map(want)
  const changed: Draft[] = []
  const unchanged: Readonly<EndpointSlice>[] = []
  const remove: Readonly<EndpointSlice>[] = []
  for (const slice of slices) {
    const have = slice.endpoints ?? []
    const kept = have.flatMap((endpoint) => take(left, endpointKey(endpoint)))
    const same = kept.length === have.length && kept.every((endpoint, i) => equalJson(endpoint, plain(have[i])))
    if (same && equalJson(slice.metadata.labels, form.labels)) unchanged.push(slice)
    else if (kept.length === 0 && have.length > 0) remove.push(slice)
    else changed.push({ slice, endpoints: kept })
  }
  const rest = [...left.values()]
  fill(changed, rest)
  const create: EndpointSlice[] = []
  while (rest.length > 0) {
    const room = rest.length < endpointsPerSliceMax ? fullest(unchanged, rest.length) : undefined
    if (room === undefined) {
      create.push(form.make(rest.splice(0, endpointsPerSliceMax)))
      continue
    }
    unchanged.splice(unchanged.indexOf(room), 1)
    changed.push({ slice: room, endpoints: [...(room.endpoints ?? []).map(plain), ...rest.splice(0)] })
  }
  const update = changed.map(({ slice, endpoints }): EndpointSlice => ({ ...slice, metadata: { ...slice.metadata, labels: { ...form.labels } }, endpoints }))
  return { create, update, unchanged, remove }
}

function take(left: Endpoints, key: string): Endpoint[] {
  const endpoint = left.get(key)
  left.delete(key)
  return endpoint === undefined ? [] : [endpoint]
}

/** Hints are given when every endpoint has its place. */
function plain<E extends Readonly<Endpoint> | undefined>(endpoint: E): E {
  if (endpoint?.hints === undefined) return endpoint
  const { hints: _hints, ...rest } = endpoint
  return rest as E
}

function fill(drafts: readonly Draft[], rest: Endpoint[]): void {
  for (const { endpoints } of drafts.toSorted((a, b) => b.endpoints.length - a.endpoints.length)) {
    endpoints.push(...rest.splice(0, endpointsPerSliceMax - endpoints.length))
  }
}

/** The slice that is nearest to full with so many more. */
function fullest(slices: readonly Readonly<EndpointSlice>[], more: number): Readonly<EndpointSlice> | undefined {
  const size = (slice: Readonly<EndpointSlice>): number => (slice.endpoints ?? []).length
  return slices.filter((slice) => size(slice) + more <= endpointsPerSliceMax).toSorted((a, b) => size(b) - size(a))[0]
}
