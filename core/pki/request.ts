/**
 * Certificate signing requests (PKCS #10): make one, read one, judge it by its
 * signer's rules, sign it with the usages that were asked for. The object
 * CertificateSigningRequest and its life are the controllers' affair.
 */
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'
import type { Random } from '../lib/random.ts'
import { backdateMs, signPublicKey, type Authority, type Certificate, type Subject } from './certificate.ts'
import { generateKey, signatureOf, type KeyPair } from './key.ts'

export interface Request {
  readonly subject: Required<Subject>
  readonly dnsNames: readonly string[]
  readonly ipAddresses: readonly string[]
  readonly emailAddresses: readonly string[]
  readonly uris: readonly string[]
  readonly parsed: x509.Pkcs10CertificateRequest
}

export const signers = {
  client: 'kubernetes.io/kube-apiserver-client',
  kubeletClient: 'kubernetes.io/kube-apiserver-client-kubelet',
  kubeletServing: 'kubernetes.io/kubelet-serving',
  legacy: 'kubernetes.io/legacy-unknown',
} as const

/** A request as PEM, with the key it asks for. */
export async function createRequest(subject: Subject, names: { readonly dns?: readonly string[]; readonly ip?: readonly string[] } = {}, key?: KeyPair): Promise<{ readonly pem: string; readonly key: KeyPair }> {
  const own = key ?? (await generateKey())
  const alternative = [
    ...(names.dns ?? []).map((value) => ({ type: 'dns' as const, value })),
    ...(names.ip ?? []).map((value) => ({ type: 'ip' as const, value })),
  ]
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: [...(subject.organizations ?? []).map((o) => ({ O: [o] })), { CN: [subject.commonName] }],
    keys: { privateKey: own.privateKey, publicKey: own.publicKey },
    signingAlgorithm: signatureOf(own.privateKey),
    extensions: alternative.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(alternative)],
  })
  return { pem: `${request.toString('pem')}\n`, key: own }
}

/** Reads a request; a sentence when the text is none. Its signature is checked when it is signed. */
export function parseRequest(pem: string): Request | string {
  if (!/-----BEGIN CERTIFICATE REQUEST-----/.test(pem)) return 'PEM block type must be CERTIFICATE REQUEST'
  try {
    const parsed = new x509.Pkcs10CertificateRequest(pem)
    const extension = parsed.getExtension('2.5.29.17')
    const names = extension instanceof x509.SubjectAlternativeNameExtension ? extension.names.items : []
    const of = (type: string): string[] => names.filter((n) => n.type === type).map((n) => n.value)
    return {
      subject: { commonName: parsed.subjectName.getField('CN')[0] ?? '', organizations: parsed.subjectName.getField('O') },
      dnsNames: of('dns'),
      ipAddresses: of('ip'),
      emailAddresses: of('email'),
      uris: of('url'),
      parsed,
    }
  } catch (error) {
    return `malformed certificate request: ${error instanceof Error ? error.message : String(error)}`
  }
}

/** Why this signer refuses the request; undefined when it takes it (pkg/apis/certificates/helpers.go, pkg/controller/certificates/signer). */
export function refusal(signerName: string, request: Request, usages: readonly string[]): string | undefined {
  if (signerName === signers.kubeletClient) return kubeletClientRefusal(request, usages)
  if (signerName === signers.kubeletServing) return kubeletServingRefusal(request, usages)
  if (signerName === signers.client) return clientRefusal(usages)
  return signerName === signers.legacy ? undefined : `unrecognized signerName: ${JSON.stringify(signerName)}`
}

function kubeletClientRefusal(request: Request, usages: readonly string[]): string | undefined {
  if (!onlyNodes(request)) return 'subject organization is not system:nodes'
  if (request.dnsNames.length > 0) return 'DNS subjectAltNames are not allowed'
  if (request.emailAddresses.length > 0) return 'Email subjectAltNames are not allowed'
  if (request.ipAddresses.length > 0) return 'IP subjectAltNames are not allowed'
  if (request.uris.length > 0) return 'URI subjectAltNames are not allowed'
  if (!request.subject.commonName.startsWith('system:node:')) return 'subject common name does not begin with system:node:'
  return usagesMatch(usages, 'client auth') ? undefined : 'usages did not match [client auth digital signature key encipherment]'
}

function kubeletServingRefusal(request: Request, usages: readonly string[]): string | undefined {
  if (!onlyNodes(request)) return 'subject organization is not system:nodes'
  if (request.dnsNames.length === 0 && request.ipAddresses.length === 0) return 'DNS or IP subjectAltName is required'
  if (request.emailAddresses.length > 0) return 'Email subjectAltNames are not allowed'
  if (request.uris.length > 0) return 'URI subjectAltNames are not allowed'
  if (!usagesMatch(usages, 'server auth')) return 'usages did not match [digital signature key encipherment server auth]'
  return request.subject.commonName.startsWith('system:node:') ? undefined : 'subject common name does not begin with system:node:'
}

function clientRefusal(usages: readonly string[]): string | undefined {
  const odd = usages.find((u) => u !== 'digital signature' && u !== 'key encipherment' && u !== 'client auth')
  if (odd !== undefined) return `invalid usage for client certificate: ${odd}`
  return usages.includes('client auth') ? undefined : 'missing required usage for client certificate: client auth'
}

function onlyNodes(request: Request): boolean {
  return request.subject.organizations.length === 1 && request.subject.organizations[0] === 'system:nodes'
}

/** The usage, digital signature, and key encipherment or not (EC keys cannot encipher). */
function usagesMatch(usages: readonly string[], main: string): boolean {
  const set = new Set(usages)
  set.delete('key encipherment')
  return set.size === 2 && set.has('digital signature') && set.has(main)
}

export interface SignOptions {
  readonly usages: readonly string[]
  /** spec.expirationSeconds. */
  readonly expirationS?: number | undefined
  readonly lifetimeMsMax: number
  readonly now: number
  readonly random: Random
}

/** Below this an asked lifetime is raised: twice the backdating. */
const lifetimeMsMin = 600_000
/** Certificates that live shorter than this get their full time after `now`. */
const shortLifetimeMs = 8 * 3_600_000

/** Signs as upstream's PermissiveSigningPolicy does (pkg/controller/certificates/authority); throws with the reason when it may not be. */
export async function signRequest(authority: Authority, request: Request, options: SignOptions): Promise<Certificate> {
  if (!(await request.parsed.verify())) throw new Error('the signature of the certificate request does not match its key')
  const asked = options.expirationS === undefined ? options.lifetimeMsMax : options.expirationS * 1000
  const lifetime = Math.max(Math.min(asked, options.lifetimeMsMax), Math.min(lifetimeMsMin, options.lifetimeMsMax))
  const end = authority.certificate.notAfter
  if (options.now >= end) throw new Error(`refusing to sign a certificate that expired in the past: NotAfter=${new Date(end).toISOString()}`)
  const until = options.now + lifetime - (lifetime < shortLifetimeMs ? 0 : backdateMs)
  return await signPublicKey(authority, {
    subject: request.parsed.subjectName,
    publicKey: request.parsed.publicKey,
    validity: { notBefore: options.now - backdateMs, notAfter: Math.min(until, end) },
    extensions: [...usageExtensions(options.usages), ...alternativeNames(request)],
    random: options.random,
  })
}

const keyUsages: Readonly<Record<string, number>> = {
  'signing': x509.KeyUsageFlags.digitalSignature,
  'digital signature': x509.KeyUsageFlags.digitalSignature,
  'content commitment': x509.KeyUsageFlags.nonRepudiation,
  'key encipherment': x509.KeyUsageFlags.keyEncipherment,
  'key agreement': x509.KeyUsageFlags.keyAgreement,
  'data encipherment': x509.KeyUsageFlags.dataEncipherment,
  'cert sign': x509.KeyUsageFlags.keyCertSign,
  'crl sign': x509.KeyUsageFlags.cRLSign,
  'encipher only': x509.KeyUsageFlags.encipherOnly,
  'decipher only': x509.KeyUsageFlags.decipherOnly,
}

const extendedUsages: Readonly<Record<string, string>> = {
  'any': '2.5.29.37.0',
  'server auth': '1.3.6.1.5.5.7.3.1',
  'client auth': '1.3.6.1.5.5.7.3.2',
  'code signing': '1.3.6.1.5.5.7.3.3',
  'email protection': '1.3.6.1.5.5.7.3.4',
  's/mime': '1.3.6.1.5.5.7.3.4',
  'ipsec end system': '1.3.6.1.5.5.7.3.5',
  'ipsec tunnel': '1.3.6.1.5.5.7.3.6',
  'ipsec user': '1.3.6.1.5.5.7.3.7',
  'timestamping': '1.3.6.1.5.5.7.3.8',
  'ocsp signing': '1.3.6.1.5.5.7.3.9',
  'microsoft sgc': '1.3.6.1.4.1.311.10.3.3',
  'netscape sgc': '2.16.840.1.113730.4.1',
}

function usageExtensions(usages: readonly string[]): x509.Extension[] {
  const unknown = usages.filter((u) => !(u in keyUsages) && !(u in extendedUsages))
  if (unknown.length > 0) throw new Error(`unrecognized usage values: [${unknown.map((u) => JSON.stringify(u)).join(' ')}]`)
  const flags = usages.reduce((bits, u) => bits | (keyUsages[u] ?? 0), 0)
  const extended = [...new Set(usages.flatMap((u) => extendedUsages[u] ?? []))].toSorted()
  return [
    ...(flags === 0 ? [] : [new x509.KeyUsagesExtension(flags, true)]),
    ...(extended.length === 0 ? [] : [new x509.ExtendedKeyUsageExtension(extended)]),
  ]
}

function alternativeNames(request: Request): x509.Extension[] {
  const extension = request.parsed.getExtension('2.5.29.17')
  return extension instanceof x509.SubjectAlternativeNameExtension ? [extension] : []
}
