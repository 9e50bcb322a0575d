/** Defaults of the group admissionregistration.k8s.io, all versions. After k8s.io/kubernetes/pkg/apis/admissionregistration. */
import type * as k from '../types.ts'
import type { Rules } from '../defaults.ts'

export const admissionregistrationDefaults = {
  ValidatingWebhook: defaultWebhook,
  MutatingWebhook(webhook: k.MutatingWebhook) {
    defaultWebhook(webhook)
    webhook.reinvocationPolicy ??= 'Never'
  },
  RuleWithOperations: defaultScope,
  NamedRuleWithOperations: defaultScope,
  AdmissionregistrationV1beta1NamedRuleWithOperations: defaultScope,
  AdmissionregistrationV1alpha1NamedRuleWithOperations: defaultScope,
  ServiceReference(reference: k.ServiceReference) {
    reference.port ??= 443
  },
  ValidatingAdmissionPolicySpec: failByDefault,
  MutatingAdmissionPolicySpec: failByDefault,
  AdmissionregistrationV1beta1MutatingAdmissionPolicySpec: failByDefault,
  AdmissionregistrationV1alpha1MutatingAdmissionPolicySpec: failByDefault,
  MatchResources: defaultMatch,
  AdmissionregistrationV1beta1MatchResources: defaultMatch,
  AdmissionregistrationV1alpha1MatchResources: defaultMatch,
  AdmissionregistrationV1alpha1ParamRef(reference: k.AdmissionregistrationV1alpha1ParamRef) {
    reference.parameterNotFoundAction ??= 'Deny'
  },
} satisfies Rules

function defaultWebhook(webhook: k.ValidatingWebhook | k.MutatingWebhook): void {
  failByDefault(webhook)
  defaultMatch(webhook)
  webhook.timeoutSeconds ??= 10
}

function failByDefault(spec: { failurePolicy?: string }): void {
  spec.failurePolicy ??= 'Fail'
}

function defaultMatch(resources: k.MatchResources | k.ValidatingWebhook): void {
  resources.matchPolicy ??= 'Equivalent'
  resources.namespaceSelector ??= {}
  resources.objectSelector ??= {}
}

function defaultScope(rule: { scope?: string }): void {
  rule.scope ??= '*'
}
