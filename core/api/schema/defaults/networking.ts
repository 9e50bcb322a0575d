/** Defaults of the groups networking.k8s.io and discovery.k8s.io. After k8s.io/kubernetes/pkg/apis/{networking,discovery}/v1/defaults.go. */
import type * as k from '../types.ts'
import type { Rules } from '../defaults.ts'

export const networkingDefaults = {
  NetworkPolicyPort(port: k.NetworkPolicyPort) {
    port.protocol ??= 'TCP'
  },
  NetworkPolicySpec(spec: k.NetworkPolicySpec) {
    spec.policyTypes ??= (spec.egress ?? []).length > 0 ? ['Ingress', 'Egress'] : ['Ingress']
  },
  IngressClassParametersReference(reference: k.IngressClassParametersReference) {
    reference.scope ??= 'Cluster'
  },
  DiscoveryV1EndpointPort(port: k.DiscoveryV1EndpointPort) {
    port.name ??= ''
    port.protocol ??= 'TCP'
  },
} satisfies Rules
