/**
 * The senders of cases: certificates from a peer's own authority, one that has expired, one from a stranger. And our
 * peer: the real composition root over SQLite in a directory of its own, without scheduler and controllers, so that
 * objects stay as they were written; but for what upstream's API server does itself, too.
 */
import { createServer } from 'node:net'
import { join } from 'node:path'
import { controllers } from '../../core/controllers/controllers.ts'
import { systemClock } from '../../core/lib/clock.ts'
import { silentLog } from '../../core/lib/log.ts'
import { systemRandom } from '../../core/lib/random.ts'
import { createAuthority, issue, type Authority } from '../../core/pki/certificate.ts'
import { loadClusterPki } from '../../core/pki/cluster.ts'
import { runServer } from '../../core/server.ts'
import type { Sender } from './case.ts'
import type { Credential, Peer } from './send.ts'

const hourMs = 3_600_000
/** Controllers of definitions are the API server's own. */
const serversOwn = /^crd-/

/** What each sender shows. Anonymous and the service account have no certificate; the latter's token is made in a case. */
export async function senders(clientCa: Authority): Promise<ReadonlyMap<Sender, Credential>> {
  const now = Date.now()
  const means = { random: systemRandom, now }
  const stranger = await createAuthority('stranger', means)
  const valid = { notBefore: now - hourMs, notAfter: now + hourMs }
  const expired = { notBefore: now - 2 * hourMs, notAfter: now - hourMs }
  const shown = async (ca: Authority, commonName: string, organizations: readonly string[], validity = valid): Promise<Credential> => {
    const made = await issue(ca, { commonName, organizations, usages: ['client'], validity }, means)
    return { cert: made.certificate.pem, key: made.key.pem }
  }
  return new Map<Sender, Credential>([
    ['admin', await shown(clientCa, 'admin', ['system:masters'])],
    ['nobody', await shown(clientCa, 'nobody', ['strangers'])],
    ['reader', await shown(clientCa, 'reader', ['readers'])],
    ['expired', await shown(clientCa, 'admin', ['system:masters'], expired)],
    ['foreign', await shown(stranger, 'admin', ['system:masters'])],
    ['anonymous', {}],
    ['badToken', { token: 'abcdef.0123456789abcdef' }],
    ['garbageToken', { token: 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln' }],
    ['serviceAccount', {}],
  ])
}

export interface RunningPeer extends Peer {
  stop(): Promise<void>
}

/** Our API server on a free port; what it keeps is under `dir`. */
export async function startOurs(dir: string): Promise<RunningPeer> {
  const port = await freePort()
  const life = new AbortController()
  const ctx = { signal: life.signal, clock: systemClock, log: silentLog }
  const names = ['127.0.0.1', 'localhost']
  const config = {
    dataDir: dir, bindAddress: '127.0.0.1', port, advertiseAddress: '127.0.0.1', tlsNames: names,
    podCidrs: ['10.42.0.0/16'], serviceCidr: '10.43.0.0/16', clusterDns: '10.43.0.10', clusterDomain: 'cluster.local',
    nodePorts: { from: 30_000, to: 32_767 }, nodeMonitorGraceMs: 50_000,
    disabled: ['scheduler', ...controllers.map((controller) => controller.name).filter((name) => !serversOwn.test(name))],
    version: { gitVersion: 'v1.36.3', gitCommit: '', buildDate: '' },
    descriptions: undefined,
  }
  let running: Promise<void> | undefined
  await new Promise<void>((resolve, reject) => {
    running = runServer(ctx, config, systemRandom, { ready: async () => resolve() })
    running.catch((error: unknown) => (life.signal.aborted ? undefined : reject(error as Error)))
  })
  const pki = await loadClusterPki(join(dir, 'server', 'tls'), names, { random: systemRandom, now: Date.now() })
  return {
    name: 'ours', host: '127.0.0.1', port, ca: pki.serverCa.certificate.pem, credentials: await senders(pki.clientCa),
    async stop() {
      life.abort(new Error('the test ends'))
      await running?.catch(() => undefined)
    },
  }
}

/** A port nobody listens on at the moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}
