/** Defaults of the core group. After k8s.io/kubernetes/pkg/apis/core/v1/defaults.go. */
import type * as k from '../types.ts'
import { addMissing, defaultPodResources } from './podresources.ts'
import type { Rules } from '../defaults.ts'

export const coreDefaults = {
  Pod(pod: k.Pod) {
    const spec = pod.spec
    if (spec === undefined) return
    for (const container of [...spec.containers ?? [], ...spec.initContainers ?? []]) {
      const resources = container.resources
      if (resources?.limits !== undefined) addMissing(resources, resources.limits)
    }
    defaultPodResources(spec)
    spec.enableServiceLinks ??= true
    if (spec.hostNetwork === true) {
      for (const container of [...spec.containers ?? [], ...spec.initContainers ?? []]) {
        for (const port of container.ports ?? []) if ((port.hostPort ?? 0) === 0 && port.containerPort !== 0) port.hostPort = port.containerPort
      }
    }
  },
  PodSpec(spec: k.PodSpec) {
    spec.dnsPolicy ??= 'ClusterFirst'
    spec.restartPolicy ??= 'Always'
    spec.securityContext ??= {}
    spec.terminationGracePeriodSeconds ??= 30
    spec.schedulerName ??= 'default-scheduler'
  },
  Container: defaultContainer,
  EphemeralContainer: defaultContainer,
  Probe(probe: k.Probe) {
    probe.timeoutSeconds ??= 1
    probe.periodSeconds ??= 10
    probe.successThreshold ??= 1
    probe.failureThreshold ??= 3
  },
  HTTPGetAction(action: k.HTTPGetAction) {
    action.path ??= '/'
    action.scheme ??= 'HTTP'
  },
  Volume(volume: k.Volume) {
    if (Object.keys(volume).every((key) => key === 'name')) volume.emptyDir = {}
    if (volume.image !== undefined) volume.image.pullPolicy ??= pullPolicy(volume.image.reference ?? '')
  },
  SecretVolumeSource: defaultMode,
  ConfigMapVolumeSource: defaultMode,
  DownwardAPIVolumeSource: defaultMode,
  ProjectedVolumeSource: defaultMode,
  HostPathVolumeSource(source: k.HostPathVolumeSource) {
    source.type ??= ''
  },
  ServiceAccountTokenProjection(projection: k.ServiceAccountTokenProjection) {
    projection.expirationSeconds ??= 3_600
  },
  ObjectFieldSelector(selector: k.ObjectFieldSelector) {
    selector.apiVersion ??= 'v1'
  },
  ReplicationController(controller: k.ReplicationController) {
    const labels = controller.spec?.template?.metadata?.labels
    if (labels === undefined || controller.spec === undefined) return
    controller.spec.selector ??= { ...labels }
    controller.metadata.labels ??= { ...labels }
  },
  Service: defaultService,
  Secret(secret: k.Secret) {
    secret.type ??= 'Opaque'
  },
  PersistentVolume(volume: k.PersistentVolume) {
    ;(volume.status ??= {}).phase ??= 'Pending'
    const spec = (volume.spec ??= {})
    spec.persistentVolumeReclaimPolicy ??= 'Retain'
    spec.volumeMode ??= 'Filesystem'
  },
  PersistentVolumeClaim(claim: k.PersistentVolumeClaim) {
    ;(claim.status ??= {}).phase ??= 'Pending'
  },
  PersistentVolumeClaimSpec(spec: k.PersistentVolumeClaimSpec) {
    spec.volumeMode ??= 'Filesystem'
  },
  EndpointSubset(subset: k.EndpointSubset) {
    for (const port of subset.ports ?? []) port.protocol ??= 'TCP'
  },
  Namespace(namespace: k.Namespace) {
    const { name } = namespace.metadata
    if (name !== undefined) (namespace.metadata.labels ??= {})['kubernetes.io/metadata.name'] = name
  },
  NamespaceStatus(status: k.NamespaceStatus) {
    status.phase ??= 'Active'
  },
  NodeStatus(status: k.NodeStatus) {
    if (status.capacity !== undefined) status.allocatable ??= { ...status.capacity }
  },
  LimitRangeItem(item: k.LimitRangeItem) {
    if (item.type !== 'Container') return
    const limits = { ...item.max, ...item.default }
    const requests = { ...item.min, ...limits, ...item.defaultRequest }
    if (Object.keys(limits).length > 0) item.default = limits
    if (Object.keys(requests).length > 0) item.defaultRequest = requests
  },
  TokenRequestSpec(spec: k.TokenRequestSpec) {
    spec.expirationSeconds ??= 3_600
  },
} satisfies Rules

function defaultContainer(container: k.Container | k.EphemeralContainer): void {
  container.imagePullPolicy ??= pullPolicy(container.image ?? '')
  container.terminationMessagePath ??= '/dev/termination-log'
  container.terminationMessagePolicy ??= 'File'
}

function defaultMode(source: { defaultMode?: number }): void {
  source.defaultMode ??= 0o644
}

function pullPolicy(image: string): string {
  return tagOf(image) === 'latest' ? 'Always' : 'IfNotPresent'
}

const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*'
const domain = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\\[[a-fA-F0-9:]+\\]'
const reference = new RegExp(
  `^(?:(?<domain>(?:${domain})(?::[0-9]+)?)/)?${component}(?:/${component})*(?::(?<tag>\\w[\\w.-]{0,127}))?(?<digest>@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$`,
)

/** The tag of an image name; `latest` when it has neither tag nor digest, '' when it is no image name. */
function tagOf(image: string): string {
  const match = reference.exec(image)
  if (match === null || /^[a-f0-9]{64}$/.test(image)) return ''
  return match.groups?.['tag'] ?? (match.groups?.['digest'] === undefined ? 'latest' : '')
}

function defaultService(service: k.Service): void {
  const spec = (service.spec ??= {})
  spec.sessionAffinity ??= 'None'
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig
  if (spec.sessionAffinity === 'ClientIP' && spec.sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined) {
    spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: 10_800 } }
  }
  const type = (spec.type ??= 'ClusterIP')
  for (const port of spec.ports ?? []) {
    port.protocol ??= 'TCP'
    if (port.targetPort === undefined || port.targetPort === 0 || port.targetPort === '') port.targetPort = port.port
  }
  const balanced = type === 'LoadBalancer'
  const external = balanced || type === 'NodePort' || (type === 'ClusterIP' && (spec.externalIPs ?? []).length > 0)
  if (external) spec.externalTrafficPolicy ??= 'Cluster'
  if (balanced || type === 'NodePort' || type === 'ClusterIP') spec.internalTrafficPolicy ??= 'Cluster'
  if (!balanced) return
  spec.allocateLoadBalancerNodePorts ??= true
  for (const ingress of service.status?.loadBalancer?.ingress ?? []) if ((ingress.ip ?? '') !== '') ingress.ipMode ??= 'VIP'
}
