/** The kind CertificateSigningRequest of certificates.k8s.io/v1: its names and its rules. */
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
  subresources: ['approval'],
})
