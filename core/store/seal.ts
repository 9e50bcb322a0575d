/**
 * Ways of keeping a value unreadable on disk, in upstream's format (`k8s:enc:aesgcm:v1:KEYNAME:` and what follows), so
 * that its EncryptionConfiguration means the same here (k8s.io/apiserver/pkg/storage/value/encrypt). Which values are
 * sealed, and how, is sealed.ts.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js'
import type { Random } from '../lib/random.ts'

export interface Seal {
  /** `aesgcm:key1`; 'identity' for what keeps values as they are. */
  readonly name: string
  /** What every value of this seal begins with; empty for identity. */
  readonly mark: Uint8Array
  readonly close: (value: Uint8Array, key: string) => Uint8Array
  /** Throws for what was not sealed with this key, or was changed since, or lay elsewhere. */
  readonly open: (value: Uint8Array, key: string) => Uint8Array
}

export type Provider = 'aesgcm' | 'aescbc' | 'secretbox'

/** Bytes of a key that each provider takes. */
export const keySizes: Readonly<Record<Provider, readonly number[]>> = { aesgcm: [16, 24, 32], aescbc: [16, 24, 32], secretbox: [32] }

const common = 'k8s:enc:'

/** Whether some seal was used: a sealed value is never mistaken for one that was kept as it is. */
export function isSealed(value: Uint8Array): boolean {
  return startsWith(value, commonMark)
}

export const identity: Seal = {
  name: 'identity',
  mark: new Uint8Array(),
  close: (value) => value,
  open(value) {
    if (isSealed(value)) throw new Error('the value is sealed')
    return value
  },
}

/** `secret` is the raw key; nonces come from `random`. Throws for a size the provider does not take. */
export function seal(provider: Provider, keyName: string, secret: Uint8Array, random: Random): Seal {
  if (!keySizes[provider].includes(secret.length)) throw new Error(`the key ${keyName} has ${secret.length} bytes; ${provider} takes ${keySizes[provider].join(', ')}`)
  const mark = new TextEncoder().encode(`${common}${provider}:v1:${keyName}:`)
  const inner = ciphers[provider](secret, random)
  return {
    name: `${provider}:${keyName}`,
    mark,
    close: (value, key) => Buffer.concat([mark, inner.close(value, key)]),
    open: (value, key) => inner.open(value.subarray(mark.length), key),
  }
}

interface Cipher {
  readonly close: (value: Uint8Array, key: string) => Uint8Array
  readonly open: (value: Uint8Array, key: string) => Uint8Array
}

const ciphers: Readonly<Record<Provider, (secret: Uint8Array, random: Random) => Cipher>> = { aesgcm, aescbc, secretbox }

const nonceBytes = 12
const tagBytes = 16

/** Nonce, then ciphertext, then tag. The store's key is authenticated with it: a value moved to another key does not open. */
function aesgcm(secret: Uint8Array, random: Random): Cipher {
  const algorithm = `aes-${secret.length * 8}-gcm` as 'aes-256-gcm'
  return {
    close(value, key) {
      const nonce = random.bytes(nonceBytes)
      const cipher = createCipheriv(algorithm, secret, nonce).setAAD(Buffer.from(key))
      return Buffer.concat([nonce, cipher.update(value), cipher.final(), cipher.getAuthTag()])
    },
    open(value, key) {
      if (value.length < nonceBytes + tagBytes) throw new Error('the value is cut short')
      const end = value.length - tagBytes
      const decipher = createDecipheriv(algorithm, secret, value.subarray(0, nonceBytes), { authTagLength: tagBytes }).setAAD(Buffer.from(key))
      decipher.setAuthTag(value.subarray(end))
      return Buffer.concat([decipher.update(value.subarray(nonceBytes, end)), decipher.final()])
    },
  }
}

const blockBytes = 16

/** Initialisation vector, then ciphertext with PKCS#7 padding. Nothing is authenticated: kept for configurations that name it. */
function aescbc(secret: Uint8Array, random: Random): Cipher {
  const algorithm = `aes-${secret.length * 8}-cbc`
  return {
    close(value) {
      const iv = random.bytes(blockBytes)
      const cipher = createCipheriv(algorithm, secret, iv)
      return Buffer.concat([iv, cipher.update(value), cipher.final()])
    },
    open(value) {
      if (value.length < 2 * blockBytes) throw new Error('the value is cut short')
      const decipher = createDecipheriv(algorithm, secret, value.subarray(0, blockBytes))
      return Buffer.concat([decipher.update(value.subarray(blockBytes)), decipher.final()])
    },
  }
}

const secretboxNonceBytes = 24

function secretbox(secret: Uint8Array, random: Random): Cipher {
  return {
    close(value) {
      const nonce = random.bytes(secretboxNonceBytes)
      return Buffer.concat([nonce, xsalsa20poly1305(secret, nonce).encrypt(value)])
    },
    open(value) {
      if (value.length < secretboxNonceBytes + tagBytes) throw new Error('the value is cut short')
      return xsalsa20poly1305(secret, value.subarray(0, secretboxNonceBytes)).decrypt(value.subarray(secretboxNonceBytes))
    },
  }
}

export function startsWith(value: Uint8Array, mark: Uint8Array): boolean {
  if (value.length < mark.length) return false
  for (let i = 0; i < mark.length; i++) if (value[i] !== mark[i]) return false
  return true
}

const commonMark = new TextEncoder().encode(common)
