/**
 * How a machine becomes a node: it learns the cluster's CA (checked against the
 * hash in the token before any secret is sent), asks for a client certificate with
 * the token and for a serving certificate with that, through certificates.k8s.io,
 * keeps both on disk and renews them. Errors are sentences for the user (JoinError).
 */
import { readFile, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { join } from 'node:path'
import { errorPath } from '../../core/lib/log.ts'
import { withTimeout, type Ctx } from '../../core/lib/ctx.ts'
import { ApiError, isApiError } from '../../core/api/errors.ts'
import { certificateSigningRequests } from '../../core/api/certificates/certificatesigningrequest.ts'
import type { Client } from '../../core/client/client.ts'
import type { RestCredentials } from '../../core/client/connection.ts'
import { restClient, type RestClient } from '../../core/client/rest.ts'
import { fingerprint, missingNames, readCertificate, readCertificates, renewalDue, verifyChain, type Certificate, type Identity } from '../../core/pki/certificate.ts'
import { parseJoinToken } from '../../core/pki/cluster.ts'
import { openDirectory, readIdentity, writeIdentity } from '../../core/pki/files.ts'
import { createRequest, signers } from '../../core/pki/request.ts'

/** Ends the command with exactly this sentence. */
export class JoinError extends Error {}

export interface JoinOptions {
  /** `https://first:6443` */
  readonly server: string
  /** `K10<hash>::<id>:<secret>`; not needed once the node has its certificates. */
  readonly token: string | undefined
  readonly nodeName: string
  /** Where keys and certificates are kept. */
  readonly directory: string
  /** Shown as User-Agent. */
  readonly agent: string
}

/** Who this node is: its certificate, and a client signed in with it. */
export class NodeIdentity {
  readonly caPem: string
  readonly api: RestClient
  #client: Identity

  constructor(ctx: Ctx, options: JoinOptions, caPem: string, client: Identity) {
    this.caPem = caPem
    this.#client = client
    const credentials = (): RestCredentials => ({ certificate: this.#client.certificate.pem, key: this.#client.key.pem })
    this.api = restClient({ server: options.server, ca: caPem, credentials, agent: options.agent, clock: ctx.clock })
  }

  /** As it is now: it changes when it is renewed. */
  client(): Identity {
    return this.#client
  }

  replace(client: Identity): void {
    this.#client = client
    this.api.reload()
  }
}

const answerMs = 10_000
const issueMs = 60_000
const pollMs = 250
const renewCheckMs = 600_000

/** The node's identity: from disk where it is good, else by joining with the token. */
export async function joinCluster(ctx: Ctx, options: JoinOptions): Promise<NodeIdentity> {
  await openDirectory(options.directory)
  const caPath = join(options.directory, 'server-ca.crt')
  let caPem = await readFile(caPath, 'utf8').catch(() => undefined)
  let client = await readIdentity(options.directory, 'kubelet-client')
  const known = caPem !== undefined && client !== undefined && client.certificate.notAfter > ctx.clock.now()
  if (!known || (client !== undefined && client.certificate.subject.commonName !== `system:node:${options.nodeName}`)) {
    const token = options.token === undefined ? undefined : parseJoinToken(options.token)
    if (options.token === undefined) throw new JoinError('this machine has not joined yet: give the token that `kubun token create` prints on the first node (--token)')
    if (token === undefined) throw new JoinError('the token is not well formed: it looks like K10<hash>::<id>:<secret>; `kubun token create` on the first node prints one')
    caPem = await trustedCa(ctx, options.server, token.pin)
    client = await firstCertificate(ctx, options, caPem, `${token.user}.${token.secret}`)
    await writeFile(caPath, caPem, { mode: 0o644 })
  }
  if (client === undefined || caPem === undefined) throw new JoinError('the node has no certificate')
  return new NodeIdentity(ctx, options, caPem, client)
}

/** Renews the client certificate when a third of its life is left; runs until ctx ends. */
export async function keepClientRenewed(ctx: Ctx, options: JoinOptions, identity: NodeIdentity): Promise<void> {
  for (;;) {
    await ctx.clock.sleep(renewCheckMs, ctx.signal)
    if (!renewalDue(identity.client().certificate, ctx.clock.now())) continue
    try {
      identity.replace(await ask(ctx, identity.api, options, 'client', []))
    } catch (error) {
      ctx.log.warn('renew client certificate', { error: errorPath(error) })
    }
  }
}

/** The certificate with which the kubelet serves; asked for anew when it is due or the node's names changed. */
export async function servingCertificate(ctx: Ctx, options: JoinOptions, identity: NodeIdentity, names: readonly string[]): Promise<Identity> {
  const have = await readIdentity(options.directory, 'kubelet-serving')
  const ca = readCertificates(identity.caPem)
  if (have !== undefined && !renewalDue(have.certificate, ctx.clock.now()) && missingNames(have.certificate, names).length === 0) {
    if ((await verifyChain(have.certificate, ca, ctx.clock.now())) === undefined) return have
  }
  return await ask(ctx, identity.api, options, 'serving', names)
}

async function firstCertificate(ctx: Ctx, options: JoinOptions, caPem: string, bearer: string): Promise<Identity> {
  const api = restClient({ server: options.server, ca: caPem, credentials: () => ({ token: bearer }), agent: options.agent, clock: ctx.clock })
  try {
    return await ask(ctx, api, options, 'client', [])
  } catch (error) {
    if (isApiError(error, 'Unauthorized')) {
      throw new JoinError('the server refuses the token: it is wrong or has expired; `kubun token create` on the first node makes a new one')
    }
    if (isApiError(error, 'Forbidden')) throw new JoinError(`the token does not allow to join: ${error.message}`)
    if (error instanceof JoinError) throw error
    throw new JoinError(`joining ${options.server} failed: ${errorPath(error)}`)
  } finally {
    api.close()
  }
}

/** Makes a key and a request, and waits until the cluster has signed it. */
async function ask(ctx: Ctx, api: Client, options: JoinOptions, use: 'client' | 'serving', names: readonly string[]): Promise<Identity> {
  const dns = names.filter((n) => !/^[\d.]+$|:/.test(n))
  const ip = names.filter((n) => /^[\d.]+$|:/.test(n))
  const { pem, key } = await createRequest({ commonName: `system:node:${options.nodeName}`, organizations: ['system:nodes'] }, { dns, ip })
  const created = await api.create(ctx, certificateSigningRequests, {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { generateName: 'node-csr-' },
    spec: {
      request: Buffer.from(pem).toString('base64'),
      signerName: use === 'client' ? signers.kubeletClient : signers.kubeletServing,
      usages: ['digital signature', use === 'client' ? 'client auth' : 'server auth'],
    },
  })
  const certificatePem = await issued(ctx, api, created.metadata.name ?? '')
  const certificate: Certificate = readCertificate(certificatePem)
  await writeIdentity(options.directory, `kubelet-${use}`, key, certificatePem)
  return { certificate, key }
}

async function issued(ctx: Ctx, api: Client, name: string): Promise<string> {
  return await withTimeout(ctx, issueMs, async (timed) => {
    for (;;) {
      const csr = await api.get(timed, certificateSigningRequests, { namespace: '', name })
      const denied = csr?.status?.conditions?.find((c) => c.type === 'Denied' || c.type === 'Failed')
      if (csr === undefined || denied !== undefined) throw new JoinError(`the server does not sign this node's certificate: ${denied?.message ?? 'the request is gone'}`)
      if (csr.status?.certificate !== undefined && csr.status.certificate !== '') return Buffer.from(csr.status.certificate, 'base64').toString('utf8')
      await timed.clock.sleep(pollMs, timed.signal)
    }
  })
}

/** The CA that the server shows, once its hash is the token's. Nothing secret has been sent up to here. */
async function trustedCa(ctx: Ctx, server: string, pin: string | undefined): Promise<string> {
  let answer: string
  try {
    answer = await fetchUnverified(ctx, new URL('/cacerts', server))
  } catch (error) {
    throw new JoinError(`cannot reach ${server}: ${errorPath(error)}; is the address right, and does kubun server run there?`)
  }
  let ca: Certificate
  try {
    ca = readCertificate(answer)
  } catch {
    throw new JoinError(`${server} is not a kubun server: it shows no CA under /cacerts`)
  }
  if (pin === undefined) throw new JoinError('the token carries no CA hash: use the whole token that `kubun token create` prints')
  if (fingerprint(ca) !== pin) {
    throw new JoinError(`the token belongs to another cluster: the CA of ${server} has not the hash that stands in the token`)
  }
  return answer
}

/** GET without trust in who answers: for what is verified by its hash only. */
function fetchUnverified(ctx: Ctx, url: URL): Promise<string> {
  return withTimeout(ctx, answerMs, (timed) => new Promise<string>((resolve, reject) => {
    const sent = request(url, { rejectUnauthorized: false, signal: timed.signal }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8')
        if (answer.statusCode === 200) resolve(text)
        else reject(new ApiError({ code: answer.statusCode ?? 0, reason: '', message: `${url.href} answered ${answer.statusCode}` }))
      })
      answer.on('error', reject)
    })
    sent.on('error', reject)
    sent.end()
  }))
}
