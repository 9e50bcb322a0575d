/**
 * Whose certificate a connection shows: a client's own, signed by the client CA, or a front proxy's, signed by the
 * request-header CA, which only speaks for others and is nobody itself. Which of the two is decided by the signature: a
 * proxy that could sign itself a name would be master of the cluster.
 */
import { X509Certificate } from 'node:crypto'
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls'
import type { Credentials } from '../auth/user.ts'
import type { Clock } from '../lib/clock.ts'

type Certificate = NonNullable<Credentials['certificate']>

export interface Peer {
  readonly certificate?: Certificate
  /** Common name of the front proxy. */
  readonly frontProxy?: string
}

/** A certificate that was shown and does not hold: nobody's name, so that it is refused and not taken for none. */
const worthless: Peer = { certificate: { commonName: '', organizations: [], fingerprint: '' } }
const nobody: Peer = {}

interface Known {
  readonly peer: Peer
  /** When its certificate ends. */
  readonly until: number
}
/** Certificates between one that is shown and its authority. */
const chainLengthMax = 5

export class Peers {
  readonly #clients: readonly X509Certificate[]
  readonly #frontProxies: readonly X509Certificate[]
  readonly #clock: Pick<Clock, 'now'>
  readonly #known = new WeakMap<object, Known>()

  /** PEM. Without a request-header CA there are no front proxies. */
  constructor(clientCa: string, requestHeaderCa: string, clock: Pick<Clock, 'now'>) {
    this.#clock = clock
    this.#clients = authorities(clientCa)
    this.#frontProxies = authorities(requestHeaderCa)
  }

  /** One look a connection; `holder` stands for it. A connection may live longer than the certificate that it began with. */
  of(holder: object, socket: TLSSocket): Peer {
    let known = this.#known.get(holder)
    if (known === undefined) {
      const shown = socket.getPeerCertificate(true)
      const until = Date.parse((shown as Partial<DetailedPeerCertificate> | null)?.valid_to ?? '')
      this.#known.set(holder, (known = { peer: this.#read(socket, shown), until: Number.isNaN(until) ? Infinity : until }))
    }
    return known.peer !== nobody && this.#clock.now() > known.until ? worthless : known.peer
  }

  /** `authorized` first: Bun fills in the subject of foreign certificates, too. */
  #read(socket: TLSSocket, shown: DetailedPeerCertificate): Peer {
    const raw = (shown as { readonly raw?: unknown } | null)?.raw
    if (socket.authorized !== true) return raw === undefined ? nobody : worthless
    const subject = shown?.subject as { CN?: string | string[]; O?: string | string[] } | undefined
    if (subject === undefined) return nobody
    const commonName = Array.isArray(subject.CN) ? (subject.CN.at(-1) ?? '') : (subject.CN ?? '')
    const by = this.#frontProxies.length === 0 ? 'clients' : this.#signer(shown)
    if (by === 'frontProxies') return { frontProxy: commonName }
    if (by === undefined) return worthless
    const organizations = subject.O === undefined ? [] : Array.isArray(subject.O) ? subject.O : [subject.O]
    return { certificate: { commonName, organizations, fingerprint: (shown.fingerprint256 ?? '').replaceAll(':', '').toLowerCase() } }
  }

  /** TLS has verified the chain; this says which of the authorities is at its end. */
  #signer(leaf: DetailedPeerCertificate): 'clients' | 'frontProxies' | undefined {
    let current: DetailedPeerCertificate | undefined = leaf
    for (let depth = 0; depth < chainLengthMax && current?.raw !== undefined; depth++) {
      const certificate = new X509Certificate(current.raw)
      if (this.#frontProxies.some((authority) => signed(certificate, authority))) return 'frontProxies'
      if (this.#clients.some((authority) => signed(certificate, authority))) return 'clients'
      current = current.issuerCertificate === current ? undefined : current.issuerCertificate
    }
    return undefined
  }
}

function authorities(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  return blocks.map((block) => new X509Certificate(block))
}

function signed(certificate: X509Certificate, authority: X509Certificate): boolean {
  try {
    return certificate.issuer === authority.subject && certificate.verify(authority.publicKey)
  } catch {
    return false // a signature of another sort of key
  }
}
