/** The kind Event of core/v1: its names and its rules. */
import { defineKind, type Kind } from '../kind.ts'
import type { Event } from '../schema/types.ts'

export const events: Kind<Event> = defineKind<Event>({
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  singular: 'event',
  namespaced: true,
  shortNames: ['ev'],
})
