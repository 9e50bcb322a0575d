/** Kinds and subresources that are only computed, by `group/plural` and `group/plural/subresource`. One line each. */
import type { Handler } from '../route.ts'
import { localSubjectAccessReview, selfSubjectAccessReview, selfSubjectRulesReview, subjectAccessReview } from './access.ts'
import { bindPod } from './binding.ts'
import { getComponent, listComponents } from './components.ts'
import { evictPod } from './eviction.ts'
import { selfSubjectReview, tokenRequest, tokenReview } from './identity.ts'
import { addEphemeralContainers, approveRequest, finalizeNamespace, part, resizePod } from './parts.ts'

export const virtualCreates: Readonly<Record<string, Handler>> = {
  '/bindings': bindPod,
  'authentication.k8s.io/selfsubjectreviews': selfSubjectReview,
  'authentication.k8s.io/tokenreviews': tokenReview,
  'authorization.k8s.io/localsubjectaccessreviews': localSubjectAccessReview,
  'authorization.k8s.io/selfsubjectaccessreviews': selfSubjectAccessReview,
  'authorization.k8s.io/selfsubjectrulesreviews': selfSubjectRulesReview,
  'authorization.k8s.io/subjectaccessreviews': subjectAccessReview,
}

/** Kinds that are kept nowhere and can be read. */
export const virtualReads: Readonly<Record<string, Readonly<Record<string, Handler>>>> = {
  '/componentstatuses': { get: getComponent, list: listComponents },
}

export const virtualSubresources: Readonly<Record<string, Readonly<Record<string, Handler>>>> = {
  '/namespaces/finalize': { update: part(finalizeNamespace).update }, // upstream's storage of it can do nothing else
  '/pods/binding': { create: bindPod },
  '/pods/ephemeralcontainers': part(addEphemeralContainers),
  '/pods/eviction': { create: evictPod },
  '/pods/resize': part(resizePod),
  '/serviceaccounts/token': { create: tokenRequest },
  'certificates.k8s.io/certificatesigningrequests/approval': part(approveRequest),
}
