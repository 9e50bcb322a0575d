/** The issuer that a token names, before anything of it is checked: tells whose it may be, without a signature. */

/** Undefined for what is no token. */
export function issuerOf(token: string): string | undefined {
  const parts = token.split('.')
  if (parts.length !== 3) return undefined
  try {
    const claims: unknown = JSON.parse(Buffer.from(parts[1] ?? '', 'base64url').toString())
    return canonicalIssuer((claims as { readonly iss?: unknown } | null)?.iss)
  } catch {
    return undefined // not a JWT
  }
}

/** Google leaves the scheme out, at times. */
export function canonicalIssuer(issuer: unknown): string | undefined {
  if (issuer === 'accounts.google.com') return 'https://accounts.google.com'
  return typeof issuer === 'string' ? issuer : undefined
}
