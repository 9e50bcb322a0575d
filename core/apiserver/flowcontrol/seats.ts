/**
 * What a request is thought to cost (k8s.io/apiserver/pkg/util/flowcontrol/request). Lists, and watches that begin with one,
 * are as wide as what they read. Writes are one seat wide: their events are handed to every watcher before they are
 * acknowledged, so that upstream's extra time after the answer is part of the work here, and counts as such.
 */
import type { RequestInfo } from '../request.ts'
import { serviceMs } from './level.ts'
import type { Watches } from './watches.ts'

/** Bytes that a list may read for one seat; it is never taken for larger than the second. */
const bytesPerSeat = 100_000
const listBytesMax = 1_000_000
const listSeatsMax = 100
const watchesPerSeat = 10
/** Time that the events of one seat take. */
const eventsMs = 5

export interface Cost {
  readonly seats: number
  readonly work: number
}

/** How much there is of a resource; undefined where nobody counts. */
export type Sizes = (group: string, resource: string) => { readonly count: number; readonly averageBytes: number } | undefined

const one: Cost = { seats: 1, work: serviceMs }

/** `seatsMax`: the widest that its level takes, 0 for no limit. */
export function costOf(info: RequestInfo, seatsMax: number, sizes: Sizes, watches: Watches): Cost {
  if (!info.isResource) return one
  const { verb } = info
  if (verb === 'list' || (verb === 'watch' && beginsWithList(info))) {
    const seats = Math.min(listSeats(info, sizes), seatsMax === 0 ? listSeatsMax : Math.min(seatsMax, listSeatsMax))
    return seats <= 1 ? one : { seats, work: seats * serviceMs }
  }
  if (verb === 'create' || verb === 'update' || verb === 'patch' || verb === 'delete') {
    const watching = info.subresource === 'token' ? 0 : watches.interested(info)
    return watching < watchesPerSeat ? one : { seats: 1, work: serviceMs + Math.ceil(watching / watchesPerSeat) * eventsMs }
  }
  return one
}

function beginsWithList({ query }: RequestInfo): boolean {
  if (query.flag('sendInitialEvents')) return true
  const version = query.get('resourceVersion') ?? ''
  return version === '' || version === '0'
}

function listSeats(info: RequestInfo, sizes: Sizes): number {
  if (info.name !== '') return 1
  const size = sizes(info.group, info.resource)
  if (size === undefined) return 1
  const limit = Number(info.query.get('limit') ?? 0)
  const objects = limit > 0 && limit < size.count ? limit : size.count
  return Math.max(1, Math.ceil(Math.min(objects * size.averageBytes, listBytesMax) / bytesPerSeat))
}
