import { afterAll, describe, expect, it } from 'vitest'
import { mkdtemp, rm, readdir, stat, writeFile, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { seededRandom } from '../lib/random.ts'
import { createAuthority, fingerprint, issue, leafValidity, missingNames, readCertificate, renewalDue, verifyChain, certificateLifetimeMs, readCertificates } from './certificate.ts'
import { joinToken, loadClusterPki, parseJoinToken, pinOf } from './cluster.ts'
import { readKey } from './key.ts'
import { createRequest, parseRequest, refusal, signers, signRequest, type Request } from './request.ts'

const now = Date.UTC(2026, 0, 1)
const means = { random: seededRandom(1), now }
const directories: string[] = []
const directory = async (): Promise<string> => {
  const made = await mkdtemp(join(tmpdir(), 'kubun-pki-'))
  directories.push(made)
  return made
}
afterAll(async () => {
  for (const d of directories) await rm(d, { recursive: true })
})

describe('issue()', () => {
  it('makes certificates that OpenSSL reads: subject, names, issuer', async () => {
    const ca = await createAuthority('test-ca', means)
    const made = await issue(ca, {
      commonName: 'kube-apiserver', organizations: ['b', 'a'], usages: ['server'],
      names: ['kubernetes', '10.43.0.1', 'fd00::1'], validity: leafValidity(now, ca),
    }, means)
    const seen = new X509Certificate(made.certificate.pem)
    expect(seen.subject).toBe('O=b\nO=a\nCN=kube-apiserver')
    expect(seen.subjectAltName).toBe('DNS:kubernetes, IP Address:10.43.0.1, IP Address:FD00:0:0:0:0:0:0:1')
    expect(seen.verify(new X509Certificate(ca.certificate.pem).publicKey)).toBe(true)
    expect(seen.checkPrivateKey(createPrivateKey(made.key.pem))).toBe(true)
    expect(fingerprint(made.certificate)).toBe(seen.fingerprint256.replaceAll(':', '').toLowerCase())
    expect(readCertificate(made.certificate.pem).subject).toEqual({ commonName: 'kube-apiserver', organizations: ['b', 'a'] })
    expect(missingNames(made.certificate, ['kubernetes', 'fd00:0::1', 'other'])).toEqual(['other'])
  })
})

describe('verifyChain()', () => {
  it('says what is wrong: time, a foreign authority of the same name', async () => {
    const [ca, foreign] = [await createAuthority('ca', means), await createAuthority('ca', means)]
    const { certificate } = await issue(ca, { commonName: 'x', usages: ['client'], validity: leafValidity(now, ca) }, means)
    expect(await verifyChain(certificate, [foreign.certificate, ca.certificate], now)).toBeUndefined()
    expect(await verifyChain(certificate, [foreign.certificate], now)).toBe('certificate x is signed by an unknown authority')
    expect(await verifyChain(certificate, [ca.certificate], now + certificateLifetimeMs + 1)).toBe('certificate x has expired')
    expect(await verifyChain(certificate, [ca.certificate], now - 3_600_000)).toBe('certificate x is not yet valid')
  })
})

it('renewalDue() is true when less than a third of the lifetime is left', () => {
  expect(renewalDue({ notBefore: 0, notAfter: 900 }, 600)).toBe(false)
  expect(renewalDue({ notBefore: 0, notAfter: 900 }, 601)).toBe(true)
})

describe('loadClusterPki()', () => {
  it('makes everything once, keeps keys private, and loads the same again', async () => {
    const dir = await directory()
    const first = await loadClusterPki(dir, ['localhost', '127.0.0.1'], means)
    expect(first.renewed).toEqual(['serving', 'admin', 'kubelet-client', 'front-proxy-client'])
    for (const file of await readdir(dir)) expect((await stat(join(dir, file))).mode & 0o777).toBe(file.endsWith('.key') ? 0o600 : 0o644)
    const again = await loadClusterPki(dir, ['localhost'], means)
    expect(again.renewed).toEqual([])
    expect(pinOf(again)).toBe(pinOf(first))
    expect(again.serviceAccountKey.pem).toBe(first.serviceAccountKey.pem)
    expect(parseJoinToken(joinToken(first, 'server', 's3cret'))).toEqual({ pin: pinOf(first), user: 'server', secret: 's3cret' })
  })

  it('renews what is due or short of a name, or torn, and nothing else', async () => {
    const dir = await directory()
    const first = await loadClusterPki(dir, ['localhost'], means)
    await writeFile(join(dir, 'admin.key'), 'torn')
    const second = await loadClusterPki(dir, ['localhost', '10.0.0.1'], means)
    expect(second.renewed).toEqual(['serving', 'admin'])
    const later = await loadClusterPki(dir, ['localhost'], { ...means, now: now + 0.7 * certificateLifetimeMs })
    expect(later.renewed).toHaveLength(4)
    expect(pinOf(later)).toBe(pinOf(first))
  })

  it('refuses to replace an authority whose key is lost or another one', async () => {
    const dir = await directory()
    await loadClusterPki(dir, [], means)
    await writeFile(join(dir, 'server-ca.key'), await readFile(join(dir, 'client-ca.key')))
    await expect(loadClusterPki(dir, [], means)).rejects.toThrow('certificate and key do not belong together')
    await rm(join(dir, 'server-ca.key'))
    await expect(loadClusterPki(dir, [], means)).rejects.toThrow('server-ca.crt has no server-ca.key beside it')
  })
})

describe('signRequest()', () => {
  it('signs what was asked for with the usages asked for', async () => {
    const ca = await createAuthority('ca', means)
    const { pem } = await createRequest({ commonName: 'system:node:a', organizations: ['system:nodes'] }, { dns: ['a'], ip: ['10.0.0.1'] })
    const request = parseRequest(pem) as Request
    const usages = ['digital signature', 'server auth']
    expect(refusal(signers.kubeletServing, request, usages)).toBeUndefined()
    const made = await signRequest(ca, request, { usages, expirationS: 3600, lifetimeMsMax: certificateLifetimeMs, now, random: means.random })
    expect(made).toMatchObject({ dnsNames: ['a'], ipAddresses: ['10.0.0.1'], notAfter: now + 3_600_000, isCa: false })
    expect(new X509Certificate(made.pem).keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
    expect(await verifyChain(made, [ca.certificate], now)).toBeUndefined()
  })

  it.each([
    [signers.kubeletClient, { commonName: 'system:node:a', organizations: ['system:nodes'] }, ['a'], ['client auth', 'digital signature'], 'DNS subjectAltNames are not allowed'],
    [signers.kubeletClient, { commonName: 'a', organizations: ['system:nodes'] }, [], ['client auth', 'digital signature'], 'subject common name does not begin with system:node:'],
    [signers.kubeletClient, { commonName: 'system:node:a', organizations: ['x'] }, [], [], 'subject organization is not system:nodes'],
    [signers.kubeletClient, { commonName: 'system:node:a', organizations: ['system:nodes'] }, [], ['client auth'], 'usages did not match [client auth digital signature key encipherment]'],
    [signers.kubeletServing, { commonName: 'system:node:a', organizations: ['system:nodes'] }, [], [], 'DNS or IP subjectAltName is required'],
    [signers.client, { commonName: 'x' }, [], ['server auth'], 'invalid usage for client certificate: server auth'],
    ['example.com/x', { commonName: 'x' }, [], [], 'unrecognized signerName: "example.com/x"'],
  ])('%s refuses %j %j %j: %s', async (signer, subject, dns, usages, want) => {
    const { pem } = await createRequest(subject, { dns })
    expect(refusal(signer, parseRequest(pem) as Request, usages)).toBe(want)
  })

  it('refuses what is no request', () => {
    expect(parseRequest('-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----')).toBe('PEM block type must be CERTIFICATE REQUEST')
  })
})

it('readCertificates() says of a block that is no certificate that it is malformed', () => {
  for (const inside of ['AAAA', 'MIIB', '%%%%']) expect(() => readCertificates(`-----BEGIN CERTIFICATE-----\n${inside}\n-----END CERTIFICATE-----\n`)).toThrow('malformed certificate')
})

it('readKey() reads EC keys in SEC1 and RSA keys in PKCS #1', async () => {
  const { generateKeyPairSync } = await import('node:crypto')
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey.export({ type: 'sec1', format: 'pem' }).toString()
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()
  const [key, other] = [await readKey(ec), await readKey(rsa)]
  expect([key.privateKey.algorithm.name, other.privateKey.algorithm.name]).toEqual(['ECDSA', 'RSASSA-PKCS1-v1_5'])
  const ca = await createAuthority('rsa', means, other)
  const { certificate } = await issue(ca, { commonName: 'x', usages: ['client'], validity: leafValidity(now, ca) }, means)
  expect(await verifyChain(certificate, [ca.certificate], now)).toBeUndefined()
})
