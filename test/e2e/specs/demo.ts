/** What the specs share: the lab, handed in late because a test file names its tests before the lab stands, and questions that several of them ask. */
import type { ClusterLab } from '../../support/lab.ts'
import { poll } from '../../support/process.ts'

export type LabOf = () => ClusterLab

export interface PodRow {
  readonly name: string
  readonly node: string
  readonly ip: string
  readonly ready: boolean
  readonly restarts: number
  readonly deleting: boolean
  readonly containerId: string
}

interface PodJson {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string }
  readonly spec: { readonly nodeName?: string }
  readonly status: {
    readonly podIP?: string
    readonly conditions?: readonly { readonly type: string; readonly status: string }[]
    readonly containerStatuses?: readonly { readonly restartCount: number; readonly containerID?: string }[]
  }
}

export async function podsOf(lab: ClusterLab, selector: string): Promise<readonly PodRow[]> {
  const list = JSON.parse(await lab.k(['get', 'pods', '-l', selector, '-o', 'json'])) as { readonly items: readonly PodJson[] }
  return list.items.map(({ metadata, spec, status }) => ({
    name: metadata.name,
    node: spec.nodeName ?? '',
    ip: status.podIP ?? '',
    ready: status.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') ?? false,
    restarts: status.containerStatuses?.reduce((sum, c) => sum + c.restartCount, 0) ?? 0,
    deleting: metadata.deletionTimestamp !== undefined,
    containerId: (status.containerStatuses?.[0]?.containerID ?? '').replace(/^\w+:\/\//, ''),
  }))
}

/** So many ready pods, and no others. */
export async function settled(lab: ClusterLab, selector: string, count: number, limitMs = 60_000): Promise<readonly PodRow[]> {
  return await poll(`${count} ready pods of ${selector}`, limitMs, async () => {
    const pods = await podsOf(lab, selector)
    return pods.length === count && pods.every((pod) => pod.ready && !pod.deleting) ? pods : `pods: ${pods.map((p) => `${p.name} on ${p.node}${p.ready ? '' : ' not ready'}${p.deleting ? ' deleting' : ''}`).join(', ')}`
  })
}

/** A GET from inside a pod. Not wget's own -T: it crashes where a connection is refused. */
export const get = (url: string): string => `timeout 5 wget -q -O - ${url}`

/** A GET from a network namespace of the machine's. */
export const getFrom = (netns: string, url: string): readonly [command: string, args: readonly string[]] => ['nsenter', [`--net=${netns}`, 'curl', '-s', '-m', '5', url]]

/** Every distinct answer to so many requests from inside a pod. */
export async function answersFrom(lab: ClusterLab, pod: string, url: string, requests = 40): Promise<readonly string[]> {
  const text = await lab.k(['exec', pod, '--', 'sh', '-c', `for i in $(seq ${requests}); do ${get(url)} || echo LOST; done`])
  return [...new Set(text.trim().split('\n'))].toSorted()
}

export const webHosts = (pods: readonly PodRow[], version: string): readonly string[] => pods.map((pod) => `${pod.name} ${version}`).toSorted()
