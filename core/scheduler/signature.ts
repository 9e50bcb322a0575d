/**
 * Signature: equal for pods of which local plugins say the same. It holds all that a plugin may read of a pod but its
 * name, so that pods of one template share one.
 */
import type { Container, Pod } from '../api/schema/types.ts'

const signatures = new WeakMap<object, string>()

export function signatureOf(pod: Readonly<Pod>): string {
  let signature = signatures.get(pod)
  if (signature === undefined) signatures.set(pod, (signature = compute(pod)))
  return signature
}

function compute({ metadata, spec, status }: Readonly<Pod>): string {
  return JSON.stringify([
    metadata.namespace, metadata.labels, metadata.ownerReferences?.find(({ controller }) => controller === true)?.uid,
    spec?.nodeName, spec?.nodeSelector, spec?.affinity, spec?.tolerations, spec?.topologySpreadConstraints, spec?.overhead, spec?.resources, spec?.priority,
    spec?.hostNetwork, spec?.os, spec?.volumes?.flatMap(({ image }) => image?.reference ?? []), spec?.containers.map(part), spec?.initContainers?.map(part), spec?.resourceClaims,
    status?.containerStatuses === undefined ? undefined : status,
  ])
}

function part({ image, ports, resources, restartPolicy }: Readonly<Container>): unknown {
  return [image, ports, resources, restartPolicy]
}
