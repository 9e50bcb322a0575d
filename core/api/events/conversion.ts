/**
 * events.k8s.io/v1 Events are stored as core/v1 Events, as upstream does
 * (k8s.io/kubernetes/pkg/apis/events/v1/zz_generated.conversion.go): the same facts under other names.
 */
import type { Conversion } from '../kind.ts'
import type { AnyObject } from '../meta.ts'
import type { Event, EventsV1Event } from '../schema/types.ts'

/** Name here -> name in core/v1, for the fields that only change their name. */
const renamed = [
  ['note', 'message'],
  ['reportingController', 'reportingComponent'],
  ['regarding', 'involvedObject'],
  ['deprecatedSource', 'source'],
  ['deprecatedFirstTimestamp', 'firstTimestamp'],
  ['deprecatedLastTimestamp', 'lastTimestamp'],
  ['deprecatedCount', 'count'],
] as const

/** Always written in core/v1, and only where there is something in events.k8s.io. */
const reporter = ['reportingComponent', 'reportingInstance'] as const

export const eventConversion: Conversion<EventsV1Event> = {
  toStored(event) {
    const stored: AnyObject = { ...event, apiVersion: 'v1', kind: 'Event', metadata: event.metadata }
    for (const [here, there] of renamed) move(stored, here, there)
    for (const field of reporter) stored[field] ??= ''
    stored['involvedObject'] ??= {}
    return stored
  },
  fromStored(stored) {
    const event: AnyObject = { ...stored, apiVersion: 'events.k8s.io/v1', kind: 'Event', metadata: stored.metadata }
    for (const [here, there] of renamed) move(event, there, here)
    for (const field of ['reportingController', 'reportingInstance']) if (event[field] === '') delete event[field]
    return event as unknown as EventsV1Event
  },
}

function move(object: AnyObject, from: string, to: string): void {
  if (object[from] !== undefined) object[to] = object[from]
  delete object[from]
}

/** An Event seen in the other version: for columns and selectors that are written once. */
export const asCoreEvent = (event: Readonly<EventsV1Event>): Readonly<Event> => eventConversion.toStored(event as EventsV1Event) as unknown as Event
