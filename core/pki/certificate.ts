/**
 * Certificates: make an authority, issue from it, read, verify a chain, name a
 * certificate by its hash. Times are milliseconds since the epoch and handed in.
 * Which certificates a cluster has is cluster.ts; requests (PKCS #10) are request.ts.
 */
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'
import { createHash } from 'node:crypto'
import { isIP } from 'node:net'
import type { Random } from '../lib/random.ts'
import { generateKey, signatureOf, type KeyPair } from './key.ts'

export interface Subject {
  readonly commonName: string
  readonly organizations?: readonly string[]
}

export interface Certificate {
  readonly pem: string
  readonly der: Uint8Array
  readonly subject: Required<Subject>
  readonly dnsNames: readonly string[]
  readonly ipAddresses: readonly string[]
  readonly notBefore: number
  readonly notAfter: number
  readonly isCa: boolean
  readonly parsed: x509.X509Certificate
}

export interface Authority {
  readonly certificate: Certificate
  readonly key: KeyPair
}

/** A certificate with its private key: what a TLS endpoint or client needs. */
export interface Identity {
  readonly certificate: Certificate
  readonly key: KeyPair
}

export interface Validity {
  readonly notBefore: number
  readonly notAfter: number
}

export interface CertificateInit extends Subject {
  readonly usages: readonly ('server' | 'client')[]
  /** DNS names and IP addresses, mixed. */
  readonly names?: readonly string[]
  readonly validity: Validity
}

export interface Means {
  readonly random: Random
  readonly now: number
}

const dayMs = 86_400_000
export const caLifetimeMs = 3_650 * dayMs
export const certificateLifetimeMs = 365 * dayMs
/** Certificates start this long ago: machines whose clocks lag still take them. */
export const backdateMs = 5 * 60_000
/** Longest chain from a leaf to a root that is followed. */
const chainLengthMax = 5

/** The usual validity of a leaf, bounded by its authority's. */
export function leafValidity(now: number, authority: Authority, lifetimeMs = certificateLifetimeMs): Validity {
  return { notBefore: now - backdateMs, notAfter: Math.min(now + lifetimeMs, authority.certificate.notAfter) }
}

/** A self-signed authority. Its common name carries the time, so that the authorities of two clusters never look alike. */
export async function createAuthority(name: string, means: Means, key?: KeyPair): Promise<Authority> {
  const own = key ?? (await generateKey())
  const subject = nameOf({ commonName: `${name}@${Math.floor(means.now / 1000)}` })
  const flags = x509.KeyUsageFlags
  const parsed = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(means.random),
    subject,
    issuer: subject,
    notBefore: wholeSecond(means.now - backdateMs),
    notAfter: wholeSecond(means.now + caLifetimeMs),
    signingAlgorithm: signatureOf(own.privateKey),
    publicKey: own.publicKey,
    signingKey: own.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(flags.digitalSignature | flags.keyEncipherment | flags.keyCertSign, true),
      await x509.SubjectKeyIdentifierExtension.create(own.publicKey),
    ],
  })
  return { certificate: certificate(parsed), key: own }
}

/** A new key and a certificate for it. */
export async function issue(authority: Authority, init: CertificateInit, means: Means): Promise<Identity> {
  const key = await generateKey()
  const extended = init.usages.map((u) => (u === 'server' ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth))
  const flags = x509.KeyUsageFlags
  const issued = await signPublicKey(authority, {
    subject: nameOf(init),
    publicKey: key.publicKey,
    validity: init.validity,
    random: means.random,
    extensions: [
      new x509.KeyUsagesExtension(flags.digitalSignature | flags.keyEncipherment, true),
      new x509.ExtendedKeyUsageExtension(extended),
      ...alternativeNames(init.names ?? []),
    ],
  })
  return { certificate: issued, key }
}

export interface SignInit {
  readonly subject: x509.Name
  readonly publicKey: CryptoKey | x509.PublicKey
  readonly validity: Validity
  readonly extensions: readonly x509.Extension[]
  readonly random: Random
}

/** Signs a leaf for somebody's public key: the common end of issue() and of requests. */
export async function signPublicKey(authority: Authority, init: SignInit): Promise<Certificate> {
  const parsed = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(init.random),
    subject: init.subject,
    issuer: authority.certificate.parsed.subjectName,
    notBefore: wholeSecond(init.validity.notBefore),
    notAfter: wholeSecond(init.validity.notAfter),
    signingAlgorithm: signatureOf(authority.key.privateKey),
    publicKey: init.publicKey,
    signingKey: authority.key.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      ...init.extensions,
      await x509.AuthorityKeyIdentifierExtension.create(authority.key.publicKey),
    ],
  })
  return certificate(parsed)
}

/** The first certificate of a PEM text. */
export function readCertificate(text: string): Certificate {
  const first = readCertificates(text)[0]
  if (first === undefined) throw new Error('no certificate in the PEM text')
  return first
}

/** Every certificate of a PEM bundle, in order. */
export function readCertificates(text: string): readonly Certificate[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  return blocks.map((block) => {
    try {
      return certificate(new x509.X509Certificate(block))
    } catch (cause) {
      throw new Error('malformed certificate', { cause })
    }
  })
}

/** Why the certificate does not hold under these roots at `now`; undefined when it does. */
export async function verifyChain(
  leaf: Certificate, roots: readonly Certificate[], now: number, intermediates: readonly Certificate[] = [],
): Promise<string | undefined> {
  let current = leaf
  for (let depth = 0; depth < chainLengthMax; depth++) {
    if (now < current.notBefore) return `certificate ${current.subject.commonName} is not yet valid`
    if (now > current.notAfter) return `certificate ${current.subject.commonName} has expired`
    const root = await issuerOf(current, roots)
    if (root !== undefined) return now > root.notAfter ? `authority ${root.subject.commonName} has expired` : undefined
    const next = await issuerOf(current, intermediates)
    if (next === undefined) return `certificate ${current.subject.commonName} is signed by an unknown authority`
    current = next
  }
  return `chain of ${leaf.subject.commonName} is longer than ${chainLengthMax}`
}

/** SHA-256 of the certificate's DER in hex. Of the server CA it is the hash in a join token, `K10<hash>::<user>:<secret>`. */
export function fingerprint(subject: Pick<Certificate, 'der'>): string {
  return createHash('sha256').update(subject.der).digest('hex')
}

/** Renewal is due when less than a third of the lifetime is left. */
export function renewalDue(validity: Validity, now: number): boolean {
  return validity.notAfter - now < (validity.notAfter - validity.notBefore) / 3
}

/** Names that the certificate does not cover yet. */
export function missingNames(have: Certificate, want: readonly string[]): readonly string[] {
  const covered = new Set([...have.dnsNames, ...have.ipAddresses.map(canonicalIp)])
  return want.filter((name) => !covered.has(isIP(name) === 0 ? name : canonicalIp(name)))
}

function certificate(parsed: x509.X509Certificate): Certificate {
  const names = parsed.getExtension(x509.SubjectAlternativeNameExtension)?.names.items ?? []
  return {
    pem: `${parsed.toString('pem')}\n`,
    der: new Uint8Array(parsed.rawData),
    subject: { commonName: parsed.subjectName.getField('CN')[0] ?? '', organizations: parsed.subjectName.getField('O') },
    dnsNames: names.filter((n) => n.type === 'dns').map((n) => n.value),
    ipAddresses: names.filter((n) => n.type === 'ip').map((n) => n.value),
    notBefore: parsed.notBefore.getTime(),
    notAfter: parsed.notAfter.getTime(),
    isCa: parsed.getExtension(x509.BasicConstraintsExtension)?.ca ?? false,
    parsed,
  }
}

/** One relative name for each value, as Go writes and reads several organizations. */
function nameOf(subject: Subject): x509.Name {
  return new x509.Name([...(subject.organizations ?? []).map((o) => ({ O: [o] })), { CN: [subject.commonName] }])
}

function alternativeNames(names: readonly string[]): x509.Extension[] {
  if (names.length === 0) return []
  return [new x509.SubjectAlternativeNameExtension(names.map((value) => (isIP(value) === 0 ? { type: 'dns' as const, value } : { type: 'ip' as const, value })))]
}

async function issuerOf(child: Certificate, candidates: readonly Certificate[]): Promise<Certificate | undefined> {
  for (const candidate of candidates) {
    if (!candidate.isCa || candidate.parsed.subject !== child.parsed.issuer) continue
    if (await child.parsed.verify({ publicKey: candidate.parsed.publicKey, signatureOnly: true })) return candidate
  }
  return undefined
}

/** 127 random bits, positive and never zero. */
function serialNumber(random: Random): string {
  const bytes = random.bytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40
  return Buffer.from(bytes).toString('hex')
}

function wholeSecond(ms: number): Date {
  return new Date(Math.floor(ms / 1000) * 1000)
}

function canonicalIp(text: string): string {
  return isIP(text) === 6 ? new URL(`http://[${text}]`).hostname : text
}
