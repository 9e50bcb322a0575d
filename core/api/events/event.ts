/** The kind Event of events.k8s.io/v1: its names and its rules. */
import { defineKind, type Kind } from '../kind.ts'
import { events, eventTtlMs } from '../core/event.ts'
import { validateNewEvent, validateNewEventChange } from '../core/eventrules.ts'
import type { EventsV1Event } from '../schema/types.ts'
import { asCoreEvent, eventConversion } from './conversion.ts'

export const eventsV1Events: Kind<EventsV1Event> = defineKind<EventsV1Event>({
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  singular: 'event',
  namespaced: true,
  shortNames: ['ev'],
  prefix: events.prefix,
  conversion: eventConversion,
  createOnUpdate: true,
  strategy: {
    validateCreate: (event) => validateNewEvent(asCoreEvent(event)),
    validateUpdate: (next, prev) => validateNewEventChange(asCoreEvent(next), asCoreEvent(prev)),
  },
  ttlMs: eventTtlMs,
  columns: events.columns.map((column) => ({ ...column, value: (o, now) => column.value(asCoreEvent(o), now) })),
  selectableFields: Object.fromEntries(
    Object.entries(events.selectableFields).map(([name, read]) => [name.replace('involvedObject.', 'regarding.').replace(/^reportingComponent$/, 'reportingController'), (o: Readonly<EventsV1Event>) => read(asCoreEvent(o))]),
  ),
})
