/** A server for tests of what calls other servers: HTTPS on loopback, with a certificate for the names asked for from an authority of its own. */
import http2 from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { systemClock } from '../lib/clock.ts'
import { systemRandom } from '../lib/random.ts'
import { createAuthority, issue, leafValidity, type Authority, type Identity } from '../pki/certificate.ts'

export interface Heard {
  readonly method: string
  /** With query. */
  readonly url: string
  readonly headers: http2.IncomingHttpHeaders
  readonly body: string
  /** The client certificate's common name, when it comes from the same authority. */
  readonly client: string | undefined
}

export interface Said {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface RemoteServer {
  readonly port: number
  /** Base64 of PEM. */
  readonly caBundle: string
  /** The server's own certificate, in Base64 of PEM. */
  readonly ownBundle: string
  /** For clients that show a certificate. */
  readonly client: Identity
  readonly heard: readonly Heard[]
  /** Connections made so far. */
  connections(): number
  /** Ends every connection, as a server does with idle ones. */
  hangUp(): void
  close(): Promise<void>
}

export async function remoteServer(names: readonly string[], answer: (heard: Heard) => Said | 'cut' | Promise<Said | 'cut'>, options: { readonly expired?: boolean } = {}): Promise<RemoteServer> {
  const now = systemClock.now()
  const means = { random: systemRandom, now }
  const authority: Authority = await createAuthority('remote', means)
  const fresh = leafValidity(now, authority)
  const validity = options.expired === true ? { notBefore: now - 7_200_000, notAfter: now - 3_600_000 } : fresh
  const shown = await issue(authority, { commonName: 'remote', usages: ['server'], ...(names.length === 0 ? {} : { names }), validity }, means)
  const client = await issue(authority, { commonName: 'caller', usages: ['client'], validity: fresh }, means)
  const sockets = new Set<TLSSocket>()
  const heard: Heard[] = []
  let connections = 0
  const tls = { cert: shown.certificate.pem, key: shown.key.pem, ca: authority.certificate.pem }
  const server = http2.createSecureServer({ allowHTTP1: true, requestCert: true, rejectUnauthorized: false, ...tls }, (request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const socket = request.socket as TLSSocket
      const one: Heard = { method: request.method, url: request.url, headers: request.headers, body, client: socket.authorized ? String(socket.getPeerCertificate().subject.CN) : undefined }
      heard.push(one)
      void (async () => {
        const said = await answer(one)
        if (said === 'cut') return void socket.destroy()
        response.writeHead(said.status ?? 200, said.headers ?? { 'content-type': 'application/json' })
        response.end(said.body ?? '')
      })()
    })
  })
  server.on('secureConnection', (socket: TLSSocket) => {
    connections++
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    socket.on('error', () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const hangUp = (): void => sockets.forEach((socket) => void socket.destroy())
  return {
    port: (server.address() as AddressInfo).port,
    caBundle: Buffer.from(authority.certificate.pem).toString('base64'),
    ownBundle: Buffer.from(shown.certificate.pem).toString('base64'),
    client,
    heard,
    connections: () => connections,
    hangUp,
    async close() {
      hangUp()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
