/** Services over a whole control plane: what is refused after it was given a port gives it back. */
import { expect, it } from 'vitest'
import { services } from '../../api/core/service.ts'
import type { Service } from '../../api/schema/types.ts'
import { bootFork, openFork } from '../../fork/fork.ts'
import { virtualClock } from '../../lib/clock.ts'
import { silentLog } from '../../lib/log.ts'
import { seededRandom } from '../../lib/random.ts'

it('a Service that is refused keeps no node port from others', async () => {
  const clock = virtualClock()
  const addresses = { serviceCidr: '10.43.0.0/16', nodePorts: { from: 30_000, to: 30_001 } }
  const fork = await openFork({ clock, log: silentLog, signal: new AbortController().signal }, { random: seededRandom(1), addresses })
  await bootFork(fork)
  const { ctx, client } = fork
  const service = (name: string, sessionAffinity = 'None'): Service => ({ metadata: { name, namespace: 'default' }, spec: { type: 'NodePort', sessionAffinity, ports: [{ port: 80 }] } })
  for (const name of ['a', 'b', 'c']) await expect(client.create(ctx, services, service(name, 'Never'))).rejects.toMatchObject({ reason: 'Invalid', message: expect.stringContaining('sessionAffinity') as string })
  const made = [await client.create(ctx, services, service('d')), await client.create(ctx, services, service('e'))]
  expect(new Set(made.map(({ spec }) => spec?.ports?.[0]?.nodePort))).toEqual(new Set([30_000, 30_001]))
  await expect(client.create(ctx, services, service('f'))).rejects.toMatchObject({ message: expect.stringContaining('range is full') as string })
  await fork.close()
})
