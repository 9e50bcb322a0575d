/** Why a server could not be reached, in the words that Go's net, tls and x509 packages have for it: clients and specs look for them. */
import { isApiError } from '../api/errors.ts'
import { formatTime } from '../api/time.ts'
import { bracketed } from '../lib/ip.ts'

/** @param now for certificates that are not valid at this time */
export function causeText(cause: unknown, now: number): string {
  if (isApiError(cause)) return cause.message
  if (!(cause instanceof Error)) return String(cause)
  if (cause.name === 'TimeoutError') return 'context deadline exceeded'
  if (cause.name === 'AbortError') return 'context canceled'
  const { code = '', address, port, hostname, host } = cause as SystemError
  const place = address === undefined ? '' : ` ${bracketed(address)}:${port ?? 0}`
  const dial = dials[code]
  if (dial !== undefined) return `dial tcp${place}: ${dial}`
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `dial tcp: lookup ${hostname ?? host ?? cause.message.split(' ').at(-1)}: ${code === 'ENOTFOUND' ? 'no such host' : 'server misbehaving'}`
  if (code === 'ECONNRESET') return cause.message.includes('hang up') ? 'EOF' : 'read: connection reset by peer'
  if (unknownAuthority.has(code)) return 'tls: failed to verify certificate: x509: certificate signed by unknown authority'
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    const side = code === 'CERT_HAS_EXPIRED' ? 'after' : 'before'
    return `tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time ${formatTime(now)} is ${side} the time of the certificate`
  }
  if (/WRONG_VERSION_NUMBER/.test(`${code} ${cause.message}`)) return 'http: server gave HTTP response to HTTPS client'
  if (/HANDSHAKE_FAILURE|ALERT/.test(code)) return `remote error: tls: ${cause.message}`
  return cause.message
}

interface SystemError extends Error {
  readonly code?: string
  readonly address?: string
  readonly port?: number
  readonly hostname?: string
  readonly host?: string
}

const dials: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'connect: connection timed out',
  EADDRNOTAVAIL: 'connect: cannot assign requested address',
}

const unknownAuthority = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_UNTRUSTED',
])
