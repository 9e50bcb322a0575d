/** An aggregated API server for tests: HTTPS on loopback that asks for the front proxy's certificate and answers as it is told, and the way to it. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import http2 from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { apiServices } from '../../api/apiregistration/apiservice.ts'
import type { APIService } from '../../api/schema/types.ts'
import type { Change, Changes } from '../../auth/lookup.ts'
import { aggregated, type Aggregated } from '../../client/aggregated.ts'
import { remoteClient } from '../../client/remote.ts'
import { systemClock } from '../../lib/clock.ts'
import { systemRandom } from '../../lib/random.ts'
import { createAuthority, issue, leafValidity, type Authority, type Identity } from '../../pki/certificate.ts'

export interface FakeRemote {
  readonly port: number
  /** Base64 of PEM. */
  readonly caBundle: string
  /** Signs front proxies, and nobody else. */
  readonly proxies: Authority
  readonly aggregated: Aggregated
  /** A certificate of a front proxy that is called so. */
  proxy(commonName: string): Promise<Identity>
  close(): Promise<void>
}

export type Answer = (request: IncomingMessage, response: ServerResponse, proxy: string) => void

export async function fakeRemote(answer: Answer, upgraded?: (request: IncomingMessage, socket: Socket) => void): Promise<FakeRemote> {
  const means = { random: systemRandom, now: systemClock.now() }
  const [servers, proxies] = [await createAuthority('servers', means), await createAuthority('proxies', means)]
  const shown = await issue(servers, { commonName: 'api', usages: ['server'], names: ['api.default.svc'], validity: leafValidity(means.now, servers) }, means)
  const proxy = (commonName: string): Promise<Identity> => issue(proxies, { commonName, usages: ['client'], validity: leafValidity(means.now, proxies) }, means)
  const own = await proxy('system:auth-proxy')
  const sockets = new Set<TLSSocket>()
  const server = http2.createSecureServer({ cert: shown.certificate.pem, key: shown.key.pem, ca: proxies.certificate.pem, requestCert: true, rejectUnauthorized: true, allowHTTP1: true })
  server.on('secureConnection', (socket: TLSSocket) => void sockets.add(socket.once('close', () => sockets.delete(socket))))
  server.on('request', (request, response) => {
    answer(request as unknown as IncomingMessage, response as unknown as ServerResponse, String((request.socket as TLSSocket).getPeerCertificate().subject.CN))
  })
  if (upgraded !== undefined) server.on('upgrade', (request: IncomingMessage, socket: Socket) => upgraded(request, socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const services = { resolve: () => ({ host: '127.0.0.1', port }) }
  const remote = remoteClient({ services, agent: 'test' })
  return {
    port, proxies, proxy,
    caBundle: btoa(servers.certificate.pem),
    aggregated: aggregated({ remote, services, identity: () => ({ cert: own.certificate.pem, key: own.key.pem }) }),
    async close() {
      remote.close()
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

/** APIServices that come and go when the test says so. */
export class FakeApiServices implements Changes {
  readonly #followers: ((change: Change<APIService>) => void)[] = []

  follow(kind: unknown, on: (change: Change<never>) => void): { stop(): void } {
    if (kind === apiServices) this.#followers.push(on as unknown as (change: Change<APIService>) => void)
    return { stop: () => {} }
  }

  put(object: APIService): void {
    for (const follow of this.#followers) follow({ type: 'set', object })
  }

  remove(object: APIService): void {
    for (const follow of this.#followers) follow({ type: 'delete', object })
  }
}

/** Of group example.com, behind Service default/api. */
export function exampleService(caBundle: string, version = 'v1', available = true): APIService {
  return {
    metadata: { name: `${version}.example.com` },
    spec: { group: 'example.com', version, groupPriorityMinimum: 17_790, versionPriority: 15, caBundle, service: { namespace: 'default', name: 'api', port: 443 } },
    status: { conditions: [{ type: 'Available', status: available ? 'True' : 'False' }] },
  }
}
