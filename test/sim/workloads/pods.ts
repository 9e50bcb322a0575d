/** The pods of a workload, as all kinds of workloads find, make and lose them. */
import type { KindRef } from '../../../core/api/kind.ts'
import { pods } from '../../../core/api/core/pod.ts'
import { isPodReady } from '../../../core/api/core/podstate.ts'
import { controllerOf, type KubeObject } from '../../../core/api/meta.ts'
import type { Pod, PodSpec, PodTemplateSpec } from '../../../core/api/schema/types.ts'
import type { Random } from '../../../core/lib/random.ts'
import { simNamespace } from '../cluster.ts'
import type { History } from '../history.ts'
import type { Act, User } from '../workload.ts'

export function template(name: string, more: Partial<PodSpec> = {}, annotations?: Record<string, string>): PodTemplateSpec {
  return {
    metadata: { labels: { app: name }, ...(annotations === undefined ? {} : { annotations }) },
    spec: { ...more, containers: [{ name: 'c', image: 'v0', resources: { requests: { cpu: '100m' } } }] },
  }
}

export function podsOf(history: History, name: string): readonly Readonly<Pod>[] {
  return [...history.all<Pod>('pods').values()].filter(({ metadata }) => metadata.namespace === simNamespace && metadata.labels?.['app'] === name)
}

export const imageOf = (pod: Readonly<Pod>): string => pod.spec?.containers[0]?.image ?? ''

/** What keeps these pods from being `want` ready ones that run this image. */
export function lacksPods(history: History, name: string, want: number, image?: string): string | undefined {
  const there = podsOf(history, name)
  if (there.length !== want) return `${name}: ${want} wanted, there are ${there.length}`
  const ready = there.filter(isPodReady).length
  if (ready !== want) return `${name}: ${want} wanted, ${ready} are ready`
  const other = image === undefined ? undefined : there.find((pod) => imageOf(pod) !== image)
  return other === undefined ? undefined : `${name}: ${other.metadata.name ?? ''} runs ${imageOf(other)}, not ${image ?? ''}`
}

/** Somebody deletes a pod by hand. */
export function losePod(random: Random, name: string): Act {
  const which = random.fraction()
  return { name: `delete a pod of ${name}`, run: (user) => withOne(user, name, which, (pod) => user.remove(pods, pod)) }
}

/** One or a few at a time. */
export function evictPods(random: Random, name: string): Act {
  const whiches = Array.from({ length: 1 + random.int(3) }, () => random.fraction())
  return {
    name: `evict pods of ${name}`,
    async run(user) {
      for (const which of whiches) await withOne(user, name, which, async (pod) => void (await user.evict(pods, pod)))
    },
  }
}

/** What is on a node is asked to go. Pods of DaemonSets are let be, as they would come again. */
export function evictAll(node: string): Act {
  return {
    name: `evict what is on ${node}`,
    async run(user) {
      for (const { metadata, spec } of await user.list(pods)) if (spec?.nodeName === node && controllerOf({ metadata })?.kind !== 'DaemonSet') await user.evict(pods, metadata.name ?? '')
    },
  }
}

async function withOne(user: User, name: string, which: number, act: (pod: string) => Promise<void>): Promise<void> {
  const there = (await user.list(pods)).filter(({ metadata }) => metadata.labels?.['app'] === name)
  const pod = there[Math.floor(which * there.length)]
  if (pod !== undefined) await act(pod.metadata.name ?? '')
}

/** A change of an object's spec by a user. */
export function changeSpec<T extends KubeObject & { spec?: object }>(kind: KindRef<T>, name: string, what: string, apply: (spec: NonNullable<T['spec']>) => void): Act {
  return { name: `${what} ${kind.kind.toLowerCase()} ${name}`, run: (user) => user.change(kind, name, (mine) => apply(mine.spec as NonNullable<T['spec']>)) }
}
