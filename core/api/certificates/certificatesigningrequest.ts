/** The kind CertificateSigningRequest of certificates.k8s.io/v1: its names and its rules. */
import { ageColumn, humanDuration, nameColumn, text } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import type { CertificateSigningRequest } from '../schema/types.ts'

export const certificateSigningRequests: Kind<CertificateSigningRequest> = defineKind<CertificateSigningRequest>({
  group: 'certificates.k8s.io',
  version: 'v1',
  kind: 'CertificateSigningRequest',
  plural: 'certificatesigningrequests',
  singular: 'certificatesigningrequest',
  namespaced: false,
  shortNames: ['csr'],
  status: {},
  strategy: {
    // who asks is the server's word, never the request's own (pkg/registry/certificates/certificates/strategy.go)
    prepareCreate(request, env) {
      request.spec.username = env.user
      request.spec.uid = env.uid ?? ''
      request.spec.groups = [...(env.groups ?? [])]
      if (env.extra !== undefined) request.spec.extra = Object.fromEntries(Object.entries(env.extra).map(([key, values]) => [key, [...values]]))
      else delete request.spec.extra
    },
    prepareUpdate(next, prev) {
      next.spec = prev.spec
    },
  },
  subresources: ['approval'],
  columns: [
    nameColumn,
    ageColumn,
    text('SignerName', (o) => o.spec.signerName || '<none>'),
    text('Requestor', (o) => o.spec.username ?? ''),
    text('RequestedDuration', (o) => (o.spec.expirationSeconds === undefined ? '<none>' : humanDuration(o.spec.expirationSeconds * 1_000))),
    text('Condition', (o) => conditionOf(o)),
  ],
  selectableFields: {
    'spec.signerName': (o) => o.spec.signerName,
  },
})

function conditionOf(request: Readonly<CertificateSigningRequest>): string {
  const has = (type: string): boolean => request.status?.conditions?.some((c) => c.type === type) ?? false
  const verdict = has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending'
  return [verdict, ...(has('Failed') ? ['Failed'] : []), ...(request.status?.certificate ? ['Issued'] : [])].join(',')
}
