/**
 * Whether what a TLS Secret holds looks like a certificate and its key, in the words of Go's crypto/tls. Only the PEM blocks are
 * looked at: whether the key is the certificate's needs a computer of keys, which is not here.
 */

/** Undefined: nothing to say. Both are base64, as Secrets have them. */
export function keyPairWarning(certificate: string | undefined, key: string | undefined): string | undefined {
  return certificateProblem(blockTypes(certificate)) ?? keyProblem(blockTypes(key))
}

function certificateProblem(types: readonly string[]): string | undefined {
  if (types.includes('CERTIFICATE')) return undefined
  if (types.length === 0) return 'tls: failed to find any PEM data in certificate input'
  if (types.length === 1 && isKey(types[0] ?? '')) return 'tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched'
  return `tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: [${types.join(' ')}]`
}

function keyProblem(types: readonly string[]): string | undefined {
  if (types.some(isKey)) return undefined
  if (types.length === 0) return 'tls: failed to find any PEM data in key input'
  if (types.length === 1 && types[0] === 'CERTIFICATE') return 'tls: found a certificate rather than a key in the PEM for the private key'
  return `tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of the following types: [${types.join(' ')}]`
}

const isKey = (type: string): boolean => type === 'PRIVATE KEY' || type.endsWith(' PRIVATE KEY')

function blockTypes(encoded: string | undefined): readonly string[] {
  const text = Buffer.from(encoded ?? '', 'base64').toString('latin1')
  return [...text.matchAll(/^-----BEGIN ([^\r\n]*)-----\r?\n[\s\S]*?^-----END \1-----/gm)].map(([, type = '']) => type)
}
