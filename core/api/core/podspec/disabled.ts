/** Fields whose features are off in this version: dropped, unless they are in use already (k8s.io/kubernetes/pkg/api/pod/util.go, pkg/features/kube_features.go). */
import type * as k from '../../schema/types.ts'

export function dropDisabled(spec: k.PodSpec, prev: Readonly<k.PodSpec> | undefined): void {
  if (prev?.schedulingGroup === undefined) delete spec.schedulingGroup
  const stops = (of: Readonly<k.PodSpec> | undefined): boolean =>
    [...(of?.containers ?? []), ...(of?.initContainers ?? []), ...(of?.ephemeralContainers ?? [])].some((container) => container.lifecycle?.stopSignal !== undefined)
  if (stops(spec) && !stops(prev)) {
    for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? []), ...(spec.ephemeralContainers ?? [])]) {
      if (container.lifecycle === undefined) continue
      delete container.lifecycle.stopSignal
      if (container.lifecycle.preStop === undefined && container.lifecycle.postStart === undefined) delete container.lifecycle
    }
  }
  for (const field of ['clusterTrustBundle', 'podCertificate'] as const) {
    const uses = (of: Readonly<k.PodSpec> | undefined): boolean => of?.volumes?.some((volume) => volume.projected?.sources?.some((source) => source[field] !== undefined)) ?? false
    if (!uses(spec) || uses(prev)) continue
    for (const volume of spec.volumes ?? []) for (const source of volume.projected?.sources ?? []) delete source[field]
  }
}
