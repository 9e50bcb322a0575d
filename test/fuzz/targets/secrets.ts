/** Tokens, certificates, requests for them, sealed values: what strangers hand in to be let in. */
import { bearerTokens } from '../../../core/auth/authn/bearer.ts'
import { bootstrapTokens } from '../../../core/auth/authn/bootstrap.ts'
import { issuerOf } from '../../../core/auth/authn/issuer.ts'
import { tokenKeys } from '../../../core/auth/authn/keys.ts'
import { serviceAccountTokens } from '../../../core/auth/authn/serviceaccount.ts'
import { virtualClock } from '../../../core/lib/clock.ts'
import type { Ctx } from '../../../core/lib/ctx.ts'
import { silentLog } from '../../../core/lib/log.ts'
import { seededRandom } from '../../../core/lib/random.ts'
import { createAuthority, issue, readCertificates } from '../../../core/pki/certificate.ts'
import { parseJoinToken } from '../../../core/pki/cluster.ts'
import { generateKey } from '../../../core/pki/key.ts'
import { createRequest, parseRequest, refusal, signers } from '../../../core/pki/request.ts'
import { seal } from '../../../core/store/seal.ts'
import { bytesOf, textTarget, type Target } from '../target.ts'

const says = (error: unknown): boolean => error instanceof Error && !['TypeError', 'RangeError', 'ReferenceError'].includes(error.name)
const armour = /-----(?:BEGIN|END) [A-Z ]+-----|\s/g

export async function secretTargets(): Promise<readonly Target[]> {
  const clock = virtualClock()
  const random = seededRandom(1)
  const ctx: Ctx = { clock, log: silentLog, signal: new AbortController().signal }
  const key = await generateKey()
  const keys = await tokenKeys([key])
  const token = await keys.sign({ iss: 'https://issuer.example', aud: ['a'], sub: 'system:serviceaccount:a:b', exp: 4e9, iat: 0, nbf: 0, 'kubernetes.io': { namespace: 'a', serviceaccount: { name: 'b', uid: 'u' }, pod: { name: 'p', uid: 'u' } } })
  const lookup = { get: () => undefined, list: () => [] }
  const accounts = serviceAccountTokens({ keys, lookup, random, issuers: ['https://issuer.example'], audiences: ['a'] })
  const bearers = bearerTokens([accounts, bootstrapTokens(lookup, ['a'])], ['a'])
  const authority = await createAuthority('ca', { random, now: 0 })
  const leaf = await issue(authority, { commonName: 'system:node:n', organizations: ['system:nodes'], usages: ['client'], validity: { notBefore: 0, notAfter: 4e12 } }, { random, now: 0 })
  const request = await createRequest({ commonName: 'system:node:n', organizations: ['system:nodes'] }, { dns: ['n'], ip: ['10.0.0.1'] })
  const seals = (['aesgcm', 'aescbc', 'secretbox'] as const).map((provider) => seal(provider, 'k', random.bytes(32), random))
  const body = (pem: string): Uint8Array => Buffer.from(pem.replaceAll(armour, ''), 'base64')
  const asPem = (label: string, input: Uint8Array): string => `-----BEGIN ${label}-----\n${Buffer.from(input).toString('base64')}\n-----END ${label}-----\n`
  return [
    textTarget('tokens', [token, 'abcdef.0123456789abcdef', 'K10ab::server:secret', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.'], async (text) => {
      issuerOf(text)
      parseJoinToken(text)
      await bearers.authenticate(ctx, { bearerToken: text })
    }, { share: 0.3 }),
    textTarget('certificates (PEM)', [leaf.certificate.pem, `${leaf.certificate.pem}${authority.certificate.pem}`], (text) => readCertificates(text), { refuses: says, share: 0.4 }),
    { name: 'certificates (DER)', corpus: [body(leaf.certificate.pem), body(authority.certificate.pem)], run: (input) => readCertificates(asPem('CERTIFICATE', input)), refuses: says, share: 0.4 },
    textTarget('certificate requests (PEM)', [request.pem], (text) => judgeRequest(text), { share: 0.4 }),
    { name: 'certificate requests (DER)', corpus: [body(request.pem)], run: (input) => judgeRequest(asPem('CERTIFICATE REQUEST', input)), share: 0.4 },
    {
      name: 'sealed values', corpus: [...seals.map((each) => each.close(new TextEncoder().encode('{"a":"value"}'), 'secrets/a/b')), ...bytesOf('k8s:enc:', 'k8s:enc:aesgcm:v1:k:')], refuses: says,
      run: (input) => {
        for (const each of seals) {
          try {
            each.open(input, 'secrets/a/b')
          } catch (error) {
            if (!says(error)) throw error
          }
        }
      },
    },
  ]
}

function judgeRequest(text: string): void {
  const request = parseRequest(text)
  if (typeof request === 'string') return
  for (const signer of Object.values(signers)) refusal(signer, request, ['client auth', 'digital signature'])
}
