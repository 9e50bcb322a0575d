/**
 * Aggregation: group-versions that other servers serve, under our own roof. Made by the composition root; the rest of the
 * API server asks it who serves a path, passes requests on through it, and merges what the others say of themselves into
 * discovery and OpenAPI.
 */
import https from 'node:https'
import type { Changes } from '../../auth/lookup.ts'
import type { Aggregated } from '../../client/aggregated.ts'
import { Group } from '../../lib/group.ts'
import type { Ctx } from '../../lib/ctx.ts'
import type { Random } from '../../lib/random.ts'
import { RemoteDiscovery } from './discovery.ts'
import { RemoteKinds } from './kinds.ts'
import { RemoteOpenApi } from './openapi.ts'
import { Registrations } from './registrations.ts'

export interface Aggregator {
  readonly registrations: Registrations
  readonly discovery: RemoteDiscovery
  readonly openapi: RemoteOpenApi
  readonly aggregated: Aggregated
  /** What the others serve, for our own parts. */
  readonly kinds: RemoteKinds
  /** Keeps connections to the others. */
  readonly agent: https.Agent
  /** Keeps what the others say of themselves fresh, until ctx ends. */
  run(ctx: Ctx): Promise<void>
}

const idleConnectionsMax = 25

export function aggregator(ctx: Ctx, { changes, aggregated, random }: { readonly changes: Changes; readonly aggregated: Aggregated; readonly random: Random }): Aggregator {
  const registrations = new Registrations(changes)
  const discovery = new RemoteDiscovery(ctx, registrations, aggregated, random)
  const openapi = new RemoteOpenApi(ctx, registrations, aggregated, random)
  const agent = new https.Agent({ keepAlive: true, maxFreeSockets: idleConnectionsMax })
  return {
    registrations, discovery, openapi, aggregated, agent,
    kinds: new RemoteKinds(registrations, discovery),
    async run(parent) {
      await using parts = new Group(parent)
      parts.go('discovery', (part) => discovery.run(part))
      parts.go('openapi', (part) => openapi.run(part))
      try {
        await parts.wait()
      } finally {
        agent.destroy()
      }
    },
  }
}
