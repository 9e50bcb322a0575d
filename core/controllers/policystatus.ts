/**
 * Says in the status of a validating policy what is wrong with its expressions, by the types of the objects that it is
 * about (upstream's validatingadmissionpolicystatus). Each generation is looked at once.
 */
import { typeWarnings } from '../api/admissionregistration/typecheck.ts'
import { validatingAdmissionPolicies } from '../api/admissionregistration/validatingadmissionpolicy.ts'
import { apiVersionOf, keyOf } from '../api/meta.ts'
import type { Controller } from './controller.ts'
import { itself } from './run.ts'

/** Owner of the status, which is not named like its service account. */
const fieldManager = 'validatingadmissionpolicy-status'

export const policyStatus: Controller = {
  name: 'validatingadmissionpolicy-status-controller',
  setUp(env) {
    const lister = env.watch(validatingAdmissionPolicies, itself)
    return async (ctx, key, client) => {
      const policy = lister.at(key)
      const generation = policy?.metadata.generation ?? 0
      if (policy === undefined || generation <= (policy.status?.observedGeneration ?? 0)) return
      const expressionWarnings = typeWarnings(policy, env.settings.kinds())
      const typeChecking = expressionWarnings.length === 0 ? {} : { expressionWarnings }
      const mine = {
        apiVersion: apiVersionOf(validatingAdmissionPolicies), kind: validatingAdmissionPolicies.kind, metadata: { name: policy.metadata.name },
        status: { observedGeneration: generation, typeChecking },
      }
      await client.patch(ctx, validatingAdmissionPolicies, keyOf(policy), 'apply', mine, { subresource: 'status', fieldManager, force: true })
    }
  },
}
