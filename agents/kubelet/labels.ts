/**
 * How a container remembers what it is: labels on it, so that a Kubun that starts
 * anew finds its pods without any file of its own. Names as cri-dockerd gave them.
 */
import { createHash } from 'node:crypto'
import type { Container, Pod } from '../../core/api/schema/types.ts'
import type { RuntimeContainer } from '../host/runtime.ts'
import type { PodContainer } from './spec.ts'

export const label = {
  node: 'io.kubun.node',
  podName: 'io.kubernetes.pod.name',
  podNamespace: 'io.kubernetes.pod.namespace',
  podUid: 'io.kubernetes.pod.uid',
  container: 'io.kubernetes.container.name',
  role: 'io.kubernetes.docker.type',
  sandbox: 'io.kubernetes.sandbox.id',
  attempt: 'io.kubernetes.container.restartCount',
  hash: 'io.kubernetes.container.hash',
  messagePath: 'io.kubernetes.container.terminationMessagePath',
  messagePolicy: 'io.kubernetes.container.terminationMessagePolicy',
  logName: 'io.kubernetes.container.messageFile',
  graceS: 'io.kubernetes.pod.terminationGracePeriod',
} as const

export const sandboxName = 'POD'

export function sandboxLabels(node: string, pod: Readonly<Pod>, attempt: number): Record<string, string> {
  return { ...podLabels(node, pod), [label.role]: 'podsandbox', [label.container]: sandboxName, [label.attempt]: String(attempt) }
}

export interface ContainerIdentity {
  readonly node: string
  readonly sandboxId: string
  readonly attempt: number
  /** File on the host that is the container's termination message. */
  readonly messageFile: string
}

export function containerLabels(pod: Readonly<Pod>, { container }: PodContainer, identity: ContainerIdentity): Record<string, string> {
  return {
    ...podLabels(identity.node, pod),
    [label.role]: 'container',
    [label.container]: container.name,
    [label.sandbox]: identity.sandboxId,
    [label.attempt]: String(identity.attempt),
    [label.hash]: hashOf(container),
    [label.messagePath]: container.terminationMessagePath ?? '/dev/termination-log',
    [label.messagePolicy]: container.terminationMessagePolicy ?? 'File',
    [label.logName]: identity.messageFile,
    [label.graceS]: String(pod.spec?.terminationGracePeriodSeconds ?? 30),
  }
}

/** Of a container that never runs: while it is there its image stays, and shows itself in a volume of the pod. */
export function holderLabels(node: string, pod: Readonly<Pod>, volume: string): Record<string, string> {
  return { ...podLabels(node, pod), [label.role]: 'imagevolume', [label.container]: volume, [label.attempt]: '0' }
}

function podLabels(node: string, pod: Readonly<Pod>): Record<string, string> {
  const { metadata: m } = pod
  return { [label.node]: node, [label.podName]: m.name ?? '', [label.podNamespace]: m.namespace ?? '', [label.podUid]: m.uid ?? '' }
}

/** What a running container must be restarted for when it changes: upstream takes name and image. */
export function hashOf(container: Readonly<Container>): string {
  return createHash('sha256').update(JSON.stringify([container.name, container.image ?? ''])).digest('hex').slice(0, 16)
}

export function runtimeName(pod: Readonly<Pod>, container: string, attempt: number): string {
  const { metadata: m } = pod
  return ['k8s', container, m.name, m.namespace, m.uid, attempt].join('_')
}

export const isSandbox = (c: RuntimeContainer): boolean => c.labels[label.role] === 'podsandbox'
export const isHolder = (c: RuntimeContainer): boolean => c.labels[label.role] === 'imagevolume'
export const podUidOf = (c: RuntimeContainer): string => c.labels[label.podUid] ?? ''
export const containerNameOf = (c: RuntimeContainer): string => c.labels[label.container] ?? ''
export const attemptOf = (c: RuntimeContainer): number => Number(c.labels[label.attempt] ?? 0)
