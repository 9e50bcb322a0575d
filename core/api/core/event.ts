/** The kind Event of core/v1: its names and its rules. */
import { integer, nameColumn, since, text, wide } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import { eventStrategy } from './eventrules.ts'
import type { Event } from '../schema/types.ts'

/** How long events are kept, as upstream's --event-ttl. */
export const eventTtlMs = 3_600_000

export const events: Kind<Event> = defineKind<Event>({
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  singular: 'event',
  namespaced: true,
  shortNames: ['ev'],
  strategy: eventStrategy,
  columns: [
    text('Last Seen', (o, now) => lastSeen(o, now)),
    text('Type', (o) => o.type ?? ''),
    text('Reason', (o) => o.reason ?? ''),
    text('Object', (o) => targetOf(o)),
    wide('Subobject', (o) => o.involvedObject.fieldPath ?? ''),
    wide('Source', (o) => sourceOf(o)),
    text('Message', (o) => (o.message ?? '').trim()),
    wide('First Seen', (o, now) => firstSeen(o, now)),
    { ...integer<Event>('Count', (o) => o.series?.count ?? (o.count || 1)), type: 'string', priority: 1 },
    { ...nameColumn, priority: 1 },
  ],
  createOnUpdate: true,
  selectableFields: {
    'involvedObject.kind': (o) => o.involvedObject.kind ?? '',
    'involvedObject.namespace': (o) => o.involvedObject.namespace ?? '',
    'involvedObject.name': (o) => o.involvedObject.name ?? '',
    'involvedObject.uid': (o) => o.involvedObject.uid ?? '',
    'involvedObject.apiVersion': (o) => o.involvedObject.apiVersion ?? '',
    'involvedObject.resourceVersion': (o) => o.involvedObject.resourceVersion ?? '',
    'involvedObject.fieldPath': (o) => o.involvedObject.fieldPath ?? '',
    reason: (o) => o.reason ?? '',
    reportingComponent: (o) => o.reportingComponent ?? '',
    source: (o) => o.source?.component || o.reportingComponent || '',
    type: (o) => o.type ?? '',
  },
  ttlMs: eventTtlMs,
})

function firstSeen(event: Readonly<Event>, now: number): string {
  return since(event.firstTimestamp ?? event.eventTime, now)
}

function lastSeen(event: Readonly<Event>, now: number): string {
  if (event.series?.lastObservedTime !== undefined) return since(event.series.lastObservedTime, now)
  return event.lastTimestamp === undefined || event.lastTimestamp === null ? firstSeen(event, now) : since(event.lastTimestamp, now)
}

function targetOf(event: Readonly<Event>): string {
  const kind = (event.involvedObject.kind ?? '').toLowerCase()
  return event.involvedObject.name === undefined || event.involvedObject.name === '' ? kind : `${kind}/${event.involvedObject.name}`
}

function sourceOf(event: Readonly<Event>): string {
  const component = event.source?.component || event.reportingComponent || ''
  const instance = event.source?.host || event.reportingInstance || ''
  return instance === '' ? component : `${component}, ${instance}`
}
