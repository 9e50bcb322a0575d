/**
 * Keys and certificates on disk: `<name>.key` and `<name>.crt` in one directory.
 * Every file is written beside its place, synced and renamed, with mode 0600 for
 * keys. Loads what is there, makes what is missing, never replaces an authority.
 */
import { open, mkdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  createAuthority, issue, leafValidity, missingNames, readCertificate, renewalDue, verifyChain,
  type Authority, type CertificateInit, type Identity, type Means,
} from './certificate.ts'
import { generateKey, readKey, type KeyPair } from './key.ts'

/** What a leaf shall be; its validity follows from its authority. */
export type LeafInit = Omit<CertificateInit, 'validity'>

export async function openDirectory(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
}

/** The authority of this name; a new one when neither of its files is there. Half of one, or one that does not fit its key, is an error: replacing it would lock out the cluster. */
export async function loadAuthority(directory: string, name: string, means: Means): Promise<Authority> {
  const [crt, key] = await Promise.all([read(directory, `${name}.crt`), read(directory, `${name}.key`)])
  if (crt === undefined) {
    const made = await createAuthority(`kubun-${name}`, means, key === undefined ? undefined : await readKey(key))
    await write(directory, `${name}.key`, made.key.pem, 0o600) // the key first: a crash between leaves a key that the next start uses
    await write(directory, `${name}.crt`, made.certificate.pem, 0o644)
    return made
  }
  if (key === undefined) throw new Error(`read authority ${name}: ${name}.crt has no ${name}.key beside it`)
  const authority = { certificate: readCertificate(crt), key: await readKey(key) }
  if (!(await fits(authority))) throw new Error(`read authority ${name}: certificate and key do not belong together`)
  return authority
}

/** The certificate of this name, made anew when it is missing, broken, due for renewal, of another authority, or short of names. */
export async function loadIdentity(
  directory: string, name: string, authority: Authority, init: LeafInit, means: Means,
): Promise<{ readonly identity: Identity; readonly renewed: boolean }> {
  const have = await readIdentity(directory, name)
  if (have !== undefined && (await stillGood(have, authority, init, means.now))) return { identity: have, renewed: false }
  const identity = await issue(authority, { ...init, validity: leafValidity(means.now, authority) }, means)
  await write(directory, `${name}.key`, identity.key.pem, 0o600)
  await write(directory, `${name}.crt`, identity.certificate.pem, 0o644)
  return { identity, renewed: true }
}

/** A certificate with its key as they lie there; undefined when one is missing or they do not belong together. */
export async function readIdentity(directory: string, name: string): Promise<Identity | undefined> {
  const [crt, key] = await Promise.all([read(directory, `${name}.crt`), read(directory, `${name}.key`)])
  if (crt === undefined || key === undefined) return undefined
  try {
    const identity = { certificate: readCertificate(crt), key: await readKey(key) }
    return (await fits(identity)) ? identity : undefined
  } catch {
    return undefined // a torn or foreign file: a leaf is simply made again
  }
}

/** Writes somebody else's certificate (a node's, from the server) beside its key. */
export async function writeIdentity(directory: string, name: string, key: KeyPair, certificatePem: string): Promise<void> {
  await write(directory, `${name}.key`, key.pem, 0o600)
  await write(directory, `${name}.crt`, certificatePem, 0o644)
}

/** A bare private key. */
export async function loadKey(directory: string, name: string): Promise<KeyPair> {
  const text = await read(directory, `${name}.key`)
  if (text !== undefined) return await readKey(text)
  const key = await generateKey()
  await write(directory, `${name}.key`, key.pem, 0o600)
  return key
}

async function stillGood(have: Identity, authority: Authority, init: LeafInit, now: number): Promise<boolean> {
  const { certificate } = have
  if (renewalDue(certificate, now) || missingNames(certificate, init.names ?? []).length > 0) return false
  if (certificate.subject.commonName !== init.commonName) return false
  if (certificate.subject.organizations.join(',') !== (init.organizations ?? []).join(',')) return false
  return (await verifyChain(certificate, [authority.certificate], now)) === undefined
}

async function fits(pair: Identity): Promise<boolean> {
  const spki = Buffer.from(await crypto.subtle.exportKey('spki', pair.key.publicKey))
  return spki.equals(Buffer.from(pair.certificate.parsed.publicKey.rawData))
}

async function read(directory: string, file: string): Promise<string | undefined> {
  try {
    return await readFile(join(directory, file), 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** Readers see the old file or the new one, never a part: also after a power cut. */
async function write(directory: string, file: string, text: string, mode: number): Promise<void> {
  const temporary = join(directory, `.${file}.new`)
  await rm(temporary, { force: true })
  const handle = await open(temporary, 'wx', mode)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(temporary, join(directory, file))
}
