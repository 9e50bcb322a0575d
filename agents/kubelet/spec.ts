/** Readers of a pod's spec that many parts share: its containers by kind, their restart rules, its names. Pure. */
import type { Container, EphemeralContainer, Pod } from '../../core/api/schema/types.ts'

export type ContainerKind = 'init' | 'sidecar' | 'app' | 'ephemeral'

export interface PodContainer {
  readonly kind: ContainerKind
  readonly container: Readonly<Container> & { readonly targetContainerName?: string }
}

/** Every container in the order of status lists: init (with sidecars), app, ephemeral. */
export function containersOf(pod: Readonly<Pod>): readonly PodContainer[] {
  const { spec } = pod
  if (spec === undefined) return []
  return [
    ...(spec.initContainers ?? []).map((container) => ({ kind: isSidecar(container) ? ('sidecar' as const) : ('init' as const), container })),
    ...spec.containers.map((container) => ({ kind: 'app' as const, container })),
    ...(spec.ephemeralContainers ?? []).map((container: EphemeralContainer) => ({ kind: 'ephemeral' as const, container })),
  ]
}

export function findContainer(pod: Readonly<Pod>, name: string): PodContainer | undefined {
  return containersOf(pod).find((c) => c.container.name === name)
}

/** An init container with restartPolicy Always runs beside the app containers. */
export function isSidecar(container: Readonly<Container>): boolean {
  return container.restartPolicy === 'Always'
}

/** Whether a container that ended with this code is started again (k8s.io/kubernetes/pkg/api/v1/pod ContainerShouldRestart). */
export function restartsAfter(pod: Readonly<Pod>, { kind, container }: PodContainer, exitCode: number): boolean {
  if (kind === 'ephemeral') return false
  if (kind === 'sidecar') return true
  for (const rule of container.restartPolicyRules ?? []) {
    const values = rule.exitCodes?.values ?? []
    const holds = rule.exitCodes?.operator === 'NotIn' ? !values.includes(exitCode) : values.includes(exitCode)
    if (holds && rule.action === 'Restart') return true
  }
  const policy = container.restartPolicy ?? pod.spec?.restartPolicy ?? 'Always'
  if (kind === 'init') return exitCode !== 0 && policy !== 'Never'
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0)
}

/** How upstream names a pod in messages: name_namespace(uid). */
export function podText(pod: Readonly<Pod>): string {
  return `${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})`
}

/** Where upstream's events point: spec.containers{web}. */
export function fieldPathOf({ kind, container }: PodContainer): string {
  const list = kind === 'app' ? 'containers' : kind === 'ephemeral' ? 'ephemeralContainers' : 'initContainers'
  return `spec.${list}{${container.name}}`
}

/** Host name and domain inside the pod (pkg/kubelet/kubelet_pods.go GeneratePodHostNameAndDomain). */
export function hostnameOf(pod: Readonly<Pod>, clusterDomain: string): { readonly hostname: string; readonly domain: string } {
  const short = (name: string): string => name.slice(0, 63).replace(/[-.]+$/, '')
  const { spec } = pod
  if (spec?.hostnameOverride !== undefined) return { hostname: short(spec.hostnameOverride), domain: '' }
  const hostname = short(spec?.hostname !== undefined && spec.hostname !== '' ? spec.hostname : (pod.metadata.name ?? ''))
  const sub = spec?.subdomain ?? ''
  return { hostname, domain: sub === '' ? '' : `${sub}.${pod.metadata.namespace}.svc.${clusterDomain}` }
}

export function isTerminalPhase(phase: string | undefined): boolean {
  return phase === 'Succeeded' || phase === 'Failed'
}
