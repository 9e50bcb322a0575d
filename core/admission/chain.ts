/**
 * Admission in call order, which is upstream's (pkg/kubeapiserver/options/plugins.go)
 * with Kubun's RBACEscalation, DeviceAccess and PolicyParams where upstream checks in the registry. All plugins
 * change the object first, in order; after defaulting and validation all judge it.
 * To add one: a file in plugins/, its test, a line here.
 */
import type { Ctx } from '../lib/ctx.ts'
import type { ApiError } from '../api/errors.ts'
import type { AdmissionDeps } from './deps.ts'
import type { AdmissionPlugin, AdmissionRequest } from './plugin.ts'
import { certificateApproval, certificateSigning, certificateSubjectRestriction } from './plugins/certificates.ts'
import { claimResize } from './plugins/claimresize.ts'
import { defaultIngressClass } from './plugins/defaultingressclass.ts'
import { defaultStorageClass } from './plugins/defaultstorageclass.ts'
import { defaultTolerationSeconds } from './plugins/defaulttolerationseconds.ts'
import { deviceAccess } from './plugins/deviceaccess.ts'
import { limitRanger } from './plugins/limitranger.ts'
import { mutatingPolicy } from './plugins/mutatingpolicy.ts'
import { mutatingWebhook } from './plugins/mutatingwebhook.ts'
import { namespaceLifecycle } from './plugins/namespacelifecycle.ts'
import { nodeRestriction } from './plugins/noderestriction.ts'
import { podResize } from './plugins/podresize.ts'
import { podSecurity } from './plugins/podsecurity.ts'
import { podTopologyLabels } from './plugins/podtopologylabels.ts'
import { policyParams } from './plugins/policyparams.ts'
import { priority } from './plugins/priority.ts'
import { rbacEscalation } from './plugins/rbacescalation.ts'
import { resourceQuota } from './plugins/resourcequota.ts'
import { runtimeClass } from './plugins/runtimeclass.ts'
import { serviceAccount } from './plugins/serviceaccount.ts'
import { serviceIp } from './plugins/serviceip.ts'
import { storageObjectInUseProtection } from './plugins/storageprotection.ts'
import { taintNodesByCondition } from './plugins/taintnodes.ts'
import { validatingPolicy } from './plugins/validatingpolicy.ts'
import { validatingWebhook } from './plugins/validatingwebhook.ts'

export const plugins = [
  namespaceLifecycle, // refuses what would be written into a namespace that is not there or going away
  limitRanger, // default requests and limits, before anybody counts them
  serviceAccount,
  nodeRestriction,
  taintNodesByCondition,
  podSecurity,
  priority,
  defaultTolerationSeconds,
  defaultStorageClass,
  storageObjectInUseProtection,
  rbacEscalation,
  deviceAccess,
  claimResize,
  runtimeClass,
  certificateApproval,
  certificateSigning,
  certificateSubjectRestriction,
  defaultIngressClass,
  podTopologyLabels,
  podResize,
  mutatingPolicy,
  mutatingWebhook, // sees what all of the above made
  policyParams,
  validatingPolicy,
  validatingWebhook,
  resourceQuota, // charges only what everybody else lets through
  serviceIp, // upstream's registry does it: the last to change a Service, and its addresses are claimed when nobody objects
] as const satisfies readonly ((deps: AdmissionDeps) => AdmissionPlugin)[]

export function admissionChain(deps: AdmissionDeps): readonly AdmissionPlugin[] {
  return plugins.map((plugin) => plugin(deps))
}

/** The chain as the API server calls it: a refusal is thrown. */
export function asOne(chain: readonly AdmissionPlugin[]): { readonly mutate: Judge; readonly validate: Judge } {
  const refuse = (refused: ApiError | undefined): void => {
    if (refused !== undefined) throw refused
  }
  return {
    mutate: async (ctx, request) => refuse(await runMutate(ctx, chain, request)),
    validate: async (ctx, request) => refuse(await runValidate(ctx, chain, request)),
  }
}

type Judge = (ctx: Ctx, request: AdmissionRequest) => Promise<void>

/** Lets every plugin change the object, in order; the first refusal ends it. */
export async function runMutate(ctx: Ctx, chain: readonly AdmissionPlugin[], request: AdmissionRequest): Promise<ApiError | undefined> {
  for (let i = 0; i < chain.length; i++) {
    const plugin = chain[i]
    if (plugin?.mutate !== undefined && plugin.handles(request)) {
      const refusal = await plugin.mutate(ctx, request)
      if (refusal !== undefined) return refusal
    }
    const { reinvocation } = request
    if (plugin?.endsRound !== true || reinvocation?.wanted !== true || reinvocation.again) continue
    reinvocation.again = true
    const again = await runMutate(ctx, chain.slice(0, i + 1), request)
    if (again !== undefined) return again
  }
  return undefined
}

/** Lets every plugin judge the final object, in order; the first refusal ends it. */
export async function runValidate(ctx: Ctx, chain: readonly AdmissionPlugin[], request: AdmissionRequest): Promise<ApiError | undefined> {
  for (const plugin of chain) {
    if (plugin.validate === undefined || !plugin.handles(request)) continue
    const refusal = await plugin.validate(ctx, request)
    if (refusal !== undefined) return refusal
  }
  return undefined
}
