/** Certificates that a webhook's answer is checked by: what is wrong with them, in the words of Go's TLS (k8s.io/client-go/transport). */

/** undefined: at least one certificate can be read. */
export function bundleError(base64: string): string | undefined {
  if (base64 === '') return undefined
  const pem = text(base64)
  const why = pemError(pem)
  return why === undefined ? undefined : `unable to load root certificates: ${why}`
}

function text(base64: string): string {
  try {
    return atob(base64)
  } catch {
    return ''
  }
}

const block = /-----BEGIN ([A-Z0-9 ]+)-----\s*\n([\s\S]*?)-----END \1-----/g

function pemError(pem: string): string | undefined {
  const blocks = [...pem.matchAll(block)]
  const certificates = blocks.filter(([, type, body = '']) => type === 'CERTIFICATE' && !body.includes(':'))
  if (certificates.some(([, , body = '']) => isCertificate(text(body.replaceAll(/\s/g, ''))))) return undefined
  if (certificates.length > 0) return 'failed to parse certificate: x509: malformed certificate'
  // what follows the last block is looked at, too, and is none
  return blocks.length === 0 || pem.slice((blocks.at(-1)?.index ?? 0) + (blocks.at(-1)?.[0].length ?? 0)).trim() !== '' ? 'unable to parse bytes as PEM block' : 'no valid certificate authority data seen'
}

/** DER: a sequence of two sequences and a bit string, no more and no less. */
function isCertificate(der: string): boolean {
  const outer = element(der, 0)
  if (outer === undefined || outer.tag !== 0x30 || outer.end !== der.length) return false
  let at = outer.start
  for (const tag of [0x30, 0x30, 0x03]) {
    const part = element(der, at)
    if (part === undefined || part.tag !== tag) return false
    at = part.end
  }
  return at === outer.end
}

interface Element {
  readonly tag: number
  readonly start: number
  readonly end: number
}

function element(der: string, at: number): Element | undefined {
  const first = der.charCodeAt(at + 1)
  if (Number.isNaN(first)) return undefined
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f
  if (lengthBytes > 4 || at + 2 + lengthBytes > der.length) return undefined
  let length = first
  if (lengthBytes > 0) {
    length = 0
    for (let i = 0; i < lengthBytes; i++) length = length * 256 + der.charCodeAt(at + 2 + i)
  }
  const start = at + 2 + lengthBytes
  return start + length > der.length ? undefined : { tag: der.charCodeAt(at), start, end: start + length }
}
