/** The kind CertificateSigningRequest of certificates.k8s.io/v1: its names and its rules. */
import { ageColumn, humanDuration, nameColumn, text } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import { requestName, requestParts, requestStatus, requestStrategy } from './requestrules.ts'
import type { CertificateSigningRequest } from '../schema/types.ts'

export const certificateSigningRequests: Kind<CertificateSigningRequest> = defineKind<CertificateSigningRequest>({
  group: 'certificates.k8s.io',
  version: 'v1',
  kind: 'CertificateSigningRequest',
  plural: 'certificatesigningrequests',
  singular: 'certificatesigningrequest',
  namespaced: false,
  shortNames: ['csr'],
  status: requestStatus,
  subresources: ['approval'],
  strategy: requestStrategy,
  parts: requestParts,
  validateName: requestName,
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
