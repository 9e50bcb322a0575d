/** Rules of mutating policies and their bindings (k8s.io/kubernetes/pkg/apis/admissionregistration/validation). */
import { needsOneOf, type Errors } from '../checks.ts'
import { invalidValue, notSupported, path, required, type Path } from '../field.ts'
import type { CelType } from '../cel/type.ts'
import type { Strategy } from '../kind.ts'
import type { MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding, Mutation } from '../schema/types.ts'
import { conditionCheck } from './conditioncheck.ts'
import { matchConditions } from './matchconditions.ts'
import { configurationType, jsonPatchesType } from './patchtypes.ts'
import { PolicyCompiler } from './policycompiler.ts'
import { compiled, mutableOperations, paramRef, policyName, policySpec, sameConditions, variables } from './policyrules.ts'
import { matchResources } from './resourcerules.ts'
import { staticNameWarnings } from './staticnames.ts'

const patchTypes = ['ApplyConfiguration', 'JSONPatch']
const reinvocationPolicies = ['IfNeeded', 'Never']

export const mutatingPolicyStrategy: Strategy<MutatingAdmissionPolicy> = {
  validateCreate: (policy) => validate(policy, undefined),
  validateUpdate: (next, prev) => validate(next, prev),
  warnings: staticNameWarnings,
}

export const mutatingBindingStrategy: Strategy<MutatingAdmissionPolicyBinding> = {
  validateCreate: validateBinding,
  validateUpdate: validateBinding,
  warnings: staticNameWarnings,
}

function validate({ spec = {} }: Readonly<MutatingAdmissionPolicy>, prev: Readonly<MutatingAdmissionPolicy> | undefined): Errors {
  const errors: Errors = []
  const at = path('spec')
  const params = spec.paramKind !== undefined
  policySpec(errors, spec, at)
  mutableOperations(errors, spec.matchConstraints, at.child('matchConstraints'))
  if (prev === undefined || !sameConditions(spec, prev.spec)) matchConditions(errors, spec.matchConditions, at.child('matchConditions'), conditionCheck({ params }))
  const compiler = new PolicyCompiler({ params })
  variables(errors, spec.variables, compiler, at.child('variables'))
  if ((spec.mutations ?? []).length === 0) errors.push(required(at.child('mutations'), 'mutations must contain at least one item'))
  spec.mutations?.forEach((one, i) => mutation(errors, one, compiler, at.child('mutations').index(i)))
  needsOneOf(errors, spec.reinvocationPolicy, reinvocationPolicies, at.child('reinvocationPolicy'))
  return errors
}

/** Each type of patch has a field of its own, and only that one is set. */
function mutation(errors: Errors, { patchType, applyConfiguration, jsonPatch }: Readonly<Mutation>, compiler: PolicyCompiler, at: Path): void {
  if (patchType === '') return void errors.push(required(at.child('patchType')))
  const patches = {
    JSONPatch: { field: 'jsonPatch', value: jsonPatch, result: jsonPatchesType, other: 'applyConfiguration', stray: applyConfiguration },
    ApplyConfiguration: { field: 'applyConfiguration', value: applyConfiguration, result: configurationType, other: 'jsonPatch', stray: jsonPatch },
  }
  if (patchType !== 'JSONPatch' && patchType !== 'ApplyConfiguration') return void errors.push(notSupported(at.child('patchType'), patchType, patchTypes))
  const { field, value, result, other, stray } = patches[patchType]
  if (value === undefined) errors.push(required(at.child(field), `must be specified when patchType is ${patchType}`))
  else patch(errors, value.expression ?? '', result, compiler, at.child(field, 'expression'))
  if (stray !== undefined) errors.push(invalidValue(at.child(other), `{${other}}`, `must not be specified when patchType is ${patchType}`))
}

function patch(errors: Errors, expression: string, result: CelType, compiler: PolicyCompiler, at: Path): void {
  const trimmed = expression.trim()
  if (trimmed === '') errors.push(required(at))
  else compiled(errors, compiler.compile(trimmed, [result], { patches: true }), trimmed, at)
}

function validateBinding({ spec = {} }: Readonly<MutatingAdmissionPolicyBinding>): Errors {
  const errors: Errors = []
  const at = path('spec')
  policyName(errors, spec.policyName, at.child('policyName'))
  paramRef(errors, spec.paramRef, at.child('paramRef'))
  if (spec.matchResources !== undefined) matchResources(errors, spec.matchResources, at.child('matchResources'))
  mutableOperations(errors, spec.matchResources, at.child('matchResources'))
  return errors
}
