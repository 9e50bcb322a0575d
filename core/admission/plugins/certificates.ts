/**
 * CertificateApproval, CertificateSigning, CertificateSubjectRestriction: who may approve and sign requests of which signer,
 * and that nobody becomes system:masters by one (plugin/pkg/admission/certificates).
 */
import { isDeepStrictEqual } from 'node:util'
import type { CertificateSigningRequest } from '../../api/schema/types.ts'
import { requestedSubject, signers } from '../../auth/requests.ts'
import type { Authorizer, User } from '../../auth/user.ts'
import { isAbout, objectOf, oldObjectOf, refuse, type AdmissionDeps } from '../deps.ts'
import type { AdmissionPlugin } from '../plugin.ts'

const group = 'certificates.k8s.io'
const plural = 'certificatesigningrequests'

export function certificateApproval({ authorizer }: AdmissionDeps): AdmissionPlugin {
  return {
    name: 'CertificateApproval',
    handles: (request) => request.operation === 'UPDATE' && isAbout(request, group, plural, 'approval'),
    async validate(_ctx, request) {
      const signer = oldObjectOf<CertificateSigningRequest>(request).spec.signerName
      if (await mayAct(authorizer, request.user, 'approve', signer)) return undefined
      return refuse(request, `user not permitted to approve requests with signerName ${JSON.stringify(signer)}`)
    },
  }
}

export function certificateSigning({ authorizer }: AdmissionDeps): AdmissionPlugin {
  return {
    name: 'CertificateSigning',
    handles: (request) => request.operation === 'UPDATE' && isAbout(request, group, plural, 'status'),
    async validate(_ctx, request) {
      const [next, prev] = [objectOf<CertificateSigningRequest>(request), oldObjectOf<CertificateSigningRequest>(request)]
      const untouched = next.status?.certificate === prev.status?.certificate && isDeepStrictEqual(next.status?.conditions ?? [], prev.status?.conditions ?? [])
      const signer = prev.spec.signerName
      if (untouched || (await mayAct(authorizer, request.user, 'sign', signer))) return undefined
      return refuse(request, `user not permitted to sign requests with signerName ${JSON.stringify(signer)}`)
    },
  }
}

export function certificateSubjectRestriction(): AdmissionPlugin {
  return {
    name: 'CertificateSubjectRestriction',
    handles: (request) => request.operation === 'CREATE' && isAbout(request, group, plural),
    async validate(_ctx, request) {
      const { spec } = objectOf<CertificateSigningRequest>(request)
      if (spec.signerName !== signers.client) return undefined
      const subject = requestedSubject(spec.request)
      if (typeof subject === 'string') return refuse(request, `failed to parse CSR: ${subject}`)
      if (!subject.organizations.includes('system:masters')) return undefined
      return refuse(request, `use of ${signers.client} signer with system:masters group is not allowed`)
    },
  }
}

/** By the signer's own name, or by its domain: `kubernetes.io/*`. */
async function mayAct(authorizer: Authorizer, user: User, verb: string, signer: string): Promise<boolean> {
  for (const name of [signer, `${signer.split('/')[0]}/*`]) {
    const asked = { type: 'resource', user, verb, group, version: '*', resource: 'signers', subresource: '', namespace: '', name } as const
    if ((await authorizer.authorize(asked)).answer === 'allow') return true
  }
  return false
}
