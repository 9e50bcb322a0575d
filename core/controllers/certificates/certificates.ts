/**
 * Certificate signing requests: approves those of kubelets, signs those that are approved, removes old ones. The rules
 * are decide.ts; the signature comes from the authority that the composition root holds (settings.sign).
 */
import { subjectAccessReviews } from '../../api/authorization/subjectaccessreview.ts'
import { certificateSigningRequests } from '../../api/certificates/certificatesigningrequest.ts'
import { nodes } from '../../api/core/node.ts'
import { keyOf } from '../../api/meta.ts'
import type { CertificateSigningRequest, SubjectAccessReview } from '../../api/schema/types.ts'
import { formatTime } from '../../api/time.ts'
import type { Client } from '../../client/client.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { cloneJson } from '../../lib/json.ts'
import { type Controller, serverIdentity, serviceAccountIdentity, SignerRefusal } from '../controller.ts'
import { itself } from '../run.ts'
import { endsAt, has, isOwnServing, pemOf, rightsFor, servingMessage, signed } from './decide.ts'

const identity = serviceAccountIdentity('certificate-controller')

export const csrApprover: Controller = {
  name: 'certificatesigningrequest-approving-controller',
  identity,
  setUp(env) {
    const lister = env.watch(certificateSigningRequests, itself)
    return async (ctx, key, client) => {
      const request = lister.at(key)
      if (request === undefined || isDecided(request)) return
      for (const { subresource, message } of rightsFor(request)) {
        if (await mayCreate(ctx, client, request, subresource)) return await approve(ctx, client, request, message, env.clock.now())
      }
    }
  },
}

/** Its own controller, because no upstream role may approve these: it acts as the server itself. */
export const servingApprover: Controller = {
  name: 'kubelet-serving-approving-controller',
  identity: serverIdentity,
  setUp(env) {
    const lister = env.watch(certificateSigningRequests, itself)
    const nodeLister = env.read(nodes)
    // A kubelet may ask before its Node object says what its addresses are.
    env.informers.of(nodes).on({
      updated: (next, prev) => (JSON.stringify(next.status?.addresses) === JSON.stringify(prev.status?.addresses) ? undefined : lookAtPending()),
      added: () => lookAtPending(),
    })
    const lookAtPending = (): void => lister.list().filter((r) => !isDecided(r)).forEach((r) => env.queue.add(r.metadata.name ?? ''))
    return async (ctx, key, client) => {
      const request = lister.at(key)
      if (request === undefined || isDecided(request) || !isOwnServing(request, (name) => nodeLister.at(name))) return
      await approve(ctx, client, request, servingMessage, env.clock.now())
    }
  },
}

export const csrSigner: Controller = {
  name: 'certificatesigningrequest-signing-controller',
  identity,
  setUp(env) {
    const lister = env.watch(certificateSigningRequests, itself)
    return async (ctx, key, client) => {
      const request = lister.at(key)
      if (request === undefined || !has(request, 'Approved') || has(request, 'Denied') || has(request, 'Failed')) return
      if ((request.status?.certificate ?? '') !== '' || !signed.includes(request.spec.signerName)) return
      const mine = cloneJson(request) as CertificateSigningRequest
      try {
        const { signerName, usages, expirationSeconds } = request.spec
        const pem = await env.settings.sign({ pem: pemOf(request), signerName, usages: usages ?? [], expirationS: expirationSeconds })
        mine.status = { ...mine.status, certificate: btoa(pem) }
      } catch (error) {
        if (!(error instanceof SignerRefusal)) throw error
        const now = formatTime(env.clock.now())
        const failed = { type: 'Failed', status: 'True', reason: 'SignerValidationFailure', message: error.message, lastUpdateTime: now, lastTransitionTime: now }
        mine.status = { ...mine.status, conditions: [...(mine.status?.conditions ?? []), failed] }
      }
      await client.update(ctx, certificateSigningRequests, mine, { subresource: 'status' })
    }
  },
}

export const csrCleaner: Controller = {
  name: 'certificatesigningrequest-cleaner-controller',
  identity,
  setUp(env) {
    const lister = env.watch(certificateSigningRequests, itself)
    return async (ctx, key, client) => {
      const request = lister.at(key)
      if (request === undefined) return
      const left = endsAt(request) - env.clock.now()
      if (left > 0) env.queue.after(key, left)
      else await client.delete(ctx, certificateSigningRequests, keyOf(request))
    }
  },
}

const isDecided = (request: Readonly<CertificateSigningRequest>): boolean => has(request, 'Approved') || has(request, 'Denied') || (request.status?.certificate ?? '') !== ''

async function mayCreate(ctx: Ctx, client: Client, { spec }: Readonly<CertificateSigningRequest>, subresource: string): Promise<boolean> {
  const review: SubjectAccessReview = {
    metadata: {},
    spec: {
      user: spec.username ?? '',
      ...(spec.uid === undefined ? {} : { uid: spec.uid }),
      groups: [...(spec.groups ?? [])],
      ...(spec.extra === undefined ? {} : { extra: spec.extra }),
      resourceAttributes: { group: 'certificates.k8s.io', resource: 'certificatesigningrequests', verb: 'create', subresource, version: '*' },
    },
  }
  return (await client.create(ctx, subjectAccessReviews, review)).status?.allowed === true
}

async function approve(ctx: Ctx, client: Client, request: Readonly<CertificateSigningRequest>, message: string, nowMs: number): Promise<void> {
  const now = formatTime(nowMs)
  const approved = { type: 'Approved', status: 'True', reason: 'AutoApproved', message, lastUpdateTime: now, lastTransitionTime: now }
  const status = { ...request.status, conditions: [...(request.status?.conditions ?? []), approved] }
  await client.update(ctx, certificateSigningRequests, { ...cloneJson(request), status }, { subresource: 'approval' })
}
