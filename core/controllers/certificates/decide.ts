/**
 * What a certificate signing request needs next: approval by whose right, a signature, or its end (upstream's
 * certificates/approver and cleaner). Pure; what a request asks for is read by core/pki.
 */
import { parseRequest, refusal, signers } from '../../pki/request.ts'
import type { CertificateSigningRequest, Node } from '../../api/schema/types.ts'
import { parseTime } from '../../api/time.ts'

export const signed: readonly string[] = Object.values(signers)

const hourMs = 3_600_000
/** How long requests are kept after their last condition, and how long they may wait for one. */
const keep = { approvedMs: hourMs, deniedMs: hourMs, failedMs: hourMs, pendingMs: 24 * hourMs } as const

export function has(request: Readonly<CertificateSigningRequest>, type: string): boolean {
  return request.status?.conditions?.some((c) => c.type === type && (type !== 'Failed' || c.status === 'True')) ?? false
}

export function pemOf(request: Readonly<CertificateSigningRequest>): string {
  return atob(request.spec.request)
}

export interface Right {
  /** Subresource of certificatesigningrequests that the requestor must be allowed to create. */
  readonly subresource: string
  readonly message: string
}

/** Rights of which one is enough for the request to be approved as a kubelet's client certificate. */
export function rightsFor(request: Readonly<CertificateSigningRequest>): readonly Right[] {
  const { signerName, usages, username } = request.spec
  const parsed = parseRequest(pemOf(request))
  if (signerName !== signers.kubeletClient || typeof parsed === 'string' || refusal(signerName, parsed, usages ?? []) !== undefined) return []
  const self = { subresource: 'selfnodeclient', message: 'Auto approving self kubelet client certificate after SubjectAccessReview.' }
  const node = { subresource: 'nodeclient', message: 'Auto approving kubelet client certificate after SubjectAccessReview.' }
  return username === parsed.subject.commonName ? [self, node] : [node]
}

export const servingMessage = 'Auto approving kubelet serving certificate for names and addresses of the node.'

/** Upstream leaves these to the administrator; here a node gets a certificate for what its Node object says it is, and nothing else. */
export function isOwnServing(request: Readonly<CertificateSigningRequest>, nodeOf: (name: string) => Readonly<Node> | undefined): boolean {
  const { signerName, usages, username, groups } = request.spec
  const parsed = parseRequest(pemOf(request))
  if (signerName !== signers.kubeletServing || typeof parsed === 'string' || refusal(signerName, parsed, usages ?? []) !== undefined) return false
  if (username !== parsed.subject.commonName || !(groups ?? []).includes('system:nodes')) return false
  const name = username.slice('system:node:'.length)
  const node = nodeOf(name)
  if (node === undefined) return false
  const own = new Set([name, ...(node.status?.addresses ?? []).map((a) => a.address)])
  return [...parsed.dnsNames, ...parsed.ipAddresses].every((asked) => own.has(asked))
}

/** When the request may go, in milliseconds since the epoch. */
export function endsAt(request: Readonly<CertificateSigningRequest>): number {
  const since = (type: string): number | undefined => {
    const condition = request.status?.conditions?.find((c) => c.type === type)
    return condition === undefined ? undefined : (parseTime(condition.lastUpdateTime ?? '') ?? created)
  }
  const created = parseTime(request.metadata.creationTimestamp ?? '') ?? 0
  const ends = [
    [since('Approved'), keep.approvedMs],
    [since('Denied'), keep.deniedMs],
    [since('Failed'), keep.failedMs],
  ] as const
  const known = ends.flatMap(([at, ms]) => (at === undefined ? [] : [at + ms]))
  // Approved, but nobody signs it: it waits like one that nobody looked at.
  const unsigned = has(request, 'Approved') && !has(request, 'Failed') && (request.status?.certificate ?? '') === ''
  return known.length === 0 || unsigned ? created + keep.pendingMs : Math.min(...known)
}
