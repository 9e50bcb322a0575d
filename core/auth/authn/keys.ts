/**
 * The keys of service account tokens: the first signs, all verify. Shown to the
 * world as JWKS and OpenID discovery (pkg/serviceaccount/openidmetadata.go);
 * where key files are is core/pki's affair.
 */
import { createHash } from 'node:crypto'
import { CompactSign, compactVerify, decodeProtectedHeader, errors, exportJWK } from 'jose'
import type { KeyPair } from '../../pki/key.ts'

export interface TokenKey {
  readonly id: string
  readonly algorithm: string
  readonly pair: Pick<KeyPair, 'privateKey' | 'publicKey'>
}

export interface TokenKeys {
  sign(claims: Readonly<Record<string, unknown>>): Promise<string>
  /** The claims when the signature holds; a sentence when it does not; undefined when it is no token. */
  verify(token: string): Promise<Readonly<Record<string, unknown>> | string | undefined>
  /** Body of /openid/v1/jwks (application/jwk-set+json). */
  jwks(): Promise<{ readonly keys: readonly object[] }>
  readonly algorithms: readonly string[]
}

/** The first signs, all verify. Throws where there is none. */
export async function tokenKeys(pairs: readonly Pick<KeyPair, 'privateKey' | 'publicKey'>[]): Promise<TokenKeys> {
  const keys = await Promise.all(pairs.map(tokenKey))
  const [signing] = keys
  if (signing === undefined) throw new Error('service account tokens need a key')
  const algorithms = [...new Set(keys.map((k) => k.algorithm))].toSorted()
  const encoder = new TextEncoder()
  return {
    algorithms,
    async sign(claims) {
      const payload = encoder.encode(JSON.stringify(claims))
      return await new CompactSign(payload).setProtectedHeader({ alg: signing.algorithm, kid: signing.id }).sign(signing.pair.privateKey)
    },
    async verify(token) {
      const header = headerOf(token)
      if (header === undefined) return undefined
      const candidates = keys.filter((k) => k.algorithm === header.alg && (header.kid === undefined || header.kid === k.id))
      for (const key of candidates) {
        const claims = await verified(token, key)
        if (claims !== undefined) return claims
      }
      // go-jose's own words, which upstream passes on
      return header.kid === undefined || keys.some((k) => k.id === header.kid) ? 'go-jose/go-jose: error in cryptographic primitive' : 'invalid signature, no keys found'
    },
    async jwks() {
      return { keys: await Promise.all(keys.map(async (k) => ({ use: 'sig', kid: k.id, alg: k.algorithm, ...(await exportJWK(k.pair.publicKey)) }))) }
    },
  }
}

/** Body of /.well-known/openid-configuration. */
export function discoveryDocument(issuer: string, jwksUri: string, keys: TokenKeys): object {
  return {
    issuer,
    jwks_uri: jwksUri,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: keys.algorithms,
  }
}

async function verified(token: string, key: TokenKey): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    const { payload } = await compactVerify(token, key.pair.publicKey, { algorithms: [key.algorithm] })
    const claims: unknown = JSON.parse(new TextDecoder().decode(payload))
    return typeof claims === 'object' && claims !== null ? (claims as Record<string, unknown>) : undefined
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof SyntaxError) return undefined
    throw error
  }
}

function headerOf(token: string): { readonly alg?: string; readonly kid?: string } | undefined {
  if (token.split('.').length !== 3) return undefined
  try {
    return decodeProtectedHeader(token)
  } catch {
    return undefined // not a JWT at all
  }
}

async function tokenKey(pair: Pick<KeyPair, 'privateKey' | 'publicKey'>): Promise<TokenKey> {
  const spki = await crypto.subtle.exportKey('spki', pair.publicKey)
  const id = createHash('sha256').update(new Uint8Array(spki)).digest('base64url')
  return { id, algorithm: algorithmOf(pair.privateKey), pair }
}

function algorithmOf(key: CryptoKey): string {
  if (key.algorithm.name === 'RSASSA-PKCS1-v1_5') return 'RS256'
  const curve = (key.algorithm as EcKeyAlgorithm).namedCurve
  return { 'P-256': 'ES256', 'P-384': 'ES384', 'P-521': 'ES512' }[curve] ?? 'ES256'
}
