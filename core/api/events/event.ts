/** The kind Event of events.k8s.io/v1: its names and its rules. */
import { defineKind, type Kind } from '../kind.ts'
import type { EventsV1Event } from '../schema/types.ts'

export const eventsV1Events: Kind<EventsV1Event> = defineKind<EventsV1Event>({
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  singular: 'event',
  namespaced: true,
  shortNames: ['ev'],
})
