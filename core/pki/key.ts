/**
 * Private keys: EC P-256 for everything that Kubun makes; EC and RSA keys of
 * others (a CA that the operator brought along) are read in any PEM form.
 * Where keys are kept is files.ts.
 */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'

export interface KeyPair {
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
  /** PKCS #8. */
  readonly pem: string
}

const made = { name: 'ECDSA', namedCurve: 'P-256' } as const

export async function generateKey(): Promise<KeyPair> {
  const pair = await crypto.subtle.generateKey(made, true, ['sign', 'verify'])
  const pkcs8 = await crypto.subtle.exportKey('pkcs8', pair.privateKey)
  return { privateKey: pair.privateKey, publicKey: pair.publicKey, pem: pem('PRIVATE KEY', new Uint8Array(pkcs8)) }
}

export async function readKey(text: string): Promise<KeyPair> {
  const own = createPrivateKey(text)
  const algorithm = algorithmOf(own)
  const pkcs8 = own.export({ type: 'pkcs8', format: 'der' })
  const spki = createPublicKey(own).export({ type: 'spki', format: 'der' })
  const [privateKey, publicKey] = await Promise.all([
    crypto.subtle.importKey('pkcs8', new Uint8Array(pkcs8), algorithm, true, ['sign']),
    crypto.subtle.importKey('spki', new Uint8Array(spki), algorithm, true, ['verify']),
  ])
  return { privateKey, publicKey, pem: pem('PRIVATE KEY', new Uint8Array(pkcs8)) }
}

/** How this key signs certificates. */
export function signatureOf(key: CryptoKey): { readonly name: string; readonly hash: string } {
  return { name: key.algorithm.name, hash: 'SHA-256' }
}

export function pem(label: string, der: Uint8Array): string {
  const lines = Buffer.from(der).toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

const curves: Readonly<Record<string, string>> = { 'prime256v1': 'P-256', 'secp384r1': 'P-384', 'secp521r1': 'P-521' }

function algorithmOf(key: KeyObject): EcKeyImportParams | RsaHashedImportParams {
  if (key.asymmetricKeyType === 'rsa') return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
  const curve = curves[key.asymmetricKeyDetails?.namedCurve ?? '']
  if (key.asymmetricKeyType === 'ec' && curve !== undefined) return { name: 'ECDSA', namedCurve: curve }
  throw new Error(`private keys of type ${key.asymmetricKeyType ?? 'unknown'} are not supported`)
}
