/** Where pods may be bound: once, and to a node that takes them. What the scheduler could not know yet is not held against it. */
import { quantityMilli } from '../../../core/api/quantity.ts'
import { isTolerated, taintKeys } from '../../../core/api/core/taints.ts'
import { isPodTerminal } from '../../../core/api/core/podstate.ts'
import { selectorOf } from '../../../core/api/selector.ts'
import type { Node, Pod } from '../../../core/api/schema/types.ts'
import type { Happened, History } from '../history.ts'
import type { Invariant, Scene as WholeScene } from '../invariant.ts'
import { Recent } from '../recent.ts'
import { isBinding, nodeOf } from './binding.ts'
import { lacksDevices } from './devices.ts'
import { matchesLabels } from './labels.ts'
import { skew } from './spread.ts'
import { outOfReach } from './volumes.ts'

interface Scene extends Pick<WholeScene, 'history' | 'faults'> {
  /** Whether what a node refuses pods for has been there long enough for the scheduler to know. */
  readonly known: (node: string, refusal: string) => boolean
}

export const boundOnce: Invariant = {
  name: 'a pod is bound once',
  begin: () => ({
    after({ prefix, key, object, prev, type }) {
      if (prefix !== 'pods' || type !== 'changed' || prev === undefined || prev.metadata.uid !== object.metadata.uid) return undefined
      const [before, now] = [nodeOf(prev as Pod), nodeOf(object as Pod)]
      return before !== '' && before !== now ? `${key} was on ${before} and is on ${now}` : undefined
    },
  }),
}

export const boundWhereItFits: Invariant = {
  name: 'a pod is bound to a node that takes it',
  begin({ history, faults, lateMs }) {
    const refusals = new Recent<string>()
    return {
      after(happened) {
        const { prefix, object, prev, atMs } = happened
        if (prefix === 'nodes') {
          const now = new Set(refusalsOf(object))
          for (const refusal of new Set([...refusalsOf(prev), ...now])) refusals.set(`${object.metadata.name ?? ''} ${refusal}`, now.has(refusal), atMs)
        }
        const known = (node: string, refusal: string): boolean => refusals.heldFor(`${node} ${refusal}`, lateMs, atMs)
        return isBinding(happened) ? whyNot({ history, faults, known }, happened.key, object as Pod) : undefined
      },
    }
  },
}

/** A node that would take the pod as things are; health taints count here. */
export function wouldTake(history: History, key: string, pod: Readonly<Pod>): string | undefined {
  const scene = { history, faults: { unheard: new Set<string>() }, known: () => true }
  for (const [, node] of history.all<Node>('nodes')) {
    const name = node.metadata.name ?? ''
    const isIll = node.spec?.taints?.some((t) => t.effect !== 'PreferNoSchedule' && !isTolerated(pod.spec?.tolerations, t)) === true
    if (!isIll && whyNot(scene, key, pod, name, cpuOf(pod)) === undefined && skew(history, key, pod, name) === undefined && outOfReach(history, pod, name) === undefined && !lacksDevices(history, pod, name)) return name
  }
  return undefined
}

/** `more`: what it would ask for beyond what is bound there already; the pod itself is, when it has been bound. */
function whyNot(scene: Scene, key: string, pod: Readonly<Pod>, name = nodeOf(pod), more = 0): string | undefined {
  const node = scene.history.all<Node>('nodes').get(`/${name}`)
  if (node === undefined) return `${key} was bound to ${name}, which is not there`
  // Pods with volumes or devices wait for them with their node in hand.
  const waited = (pod.spec?.volumes ?? []).some(({ persistentVolumeClaim }) => persistentVolumeClaim !== undefined) || pod.spec?.resourceClaims !== undefined
  const known = (refusal: string): boolean => !waited && scene.known(name, refusal)
  if (node.spec?.unschedulable === true && known(cordon) && !isTolerated(pod.spec?.tolerations, { key: taintKeys.unschedulable, effect: 'NoSchedule' })) return `${key} was bound to ${name}, which is cordoned`
  const taint = node.spec?.taints?.find((t) => t.effect !== 'PreferNoSchedule' && known(t.key) && !isTolerated(pod.spec?.tolerations, t))
  if (taint !== undefined) return `${key} was bound to ${name} with its taint ${taint.key}`
  if (!matchesLabels(pod, node)) return `${key} was bound to ${name}, which its selector or affinity does not ask for`
  return crowded(scene, name, node, more) ?? besideFoe(scene, key, pod, name)
}

const cordon = 'cordon'

function refusalsOf(object: Happened['prev']): readonly string[] {
  const { spec } = (object ?? {}) as Partial<Node>
  return [...(spec?.taints ?? []).map(({ key }) => key), ...(spec?.unschedulable === true ? [cordon] : [])]
}

/** Pods on the node that the scheduler has heard of: of a binding that was made and not answered it knows only later. */
function* known({ history, faults }: Scene, node: string): Iterable<[string, Readonly<Pod>]> {
  for (const [key, pod] of history.all<Pod>('pods')) {
    if (nodeOf(pod) === node && !isPodTerminal(pod) && !faults.unheard.has(`${key}/binding`)) yield [key, pod]
  }
}

function cpuOf(pod: Readonly<Pod>): number {
  return (pod.spec?.containers ?? []).reduce((sum, { resources }) => sum + quantityMilli(resources?.requests?.['cpu'] ?? 0), 0)
}

function crowded(scene: Scene, name: string, node: Readonly<Node>, more: number): string | undefined {
  let cpu = more
  let count = more === 0 ? 0 : 1
  for (const [, pod] of known(scene, name)) {
    count++
    cpu += cpuOf(pod)
  }
  const { cpu: cpuMax, pods: podsMax } = node.status?.allocatable ?? {}
  if (cpu > quantityMilli(cpuMax ?? 0)) return `${name} has ${quantityMilli(cpuMax ?? 0)} m of cpu and its pods ask for ${cpu} m`
  return count > Number(podsMax) ? `${name} takes ${String(podsMax)} pods and has ${count}` : undefined
}

function besideFoe(scene: Scene, key: string, pod: Readonly<Pod>, node: string): string | undefined {
  const terms = pod.spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []
  for (const term of terms) {
    const foe = selectorOf(term.labelSelector)
    for (const [other, { metadata }] of known(scene, node)) if (other !== key && foe.matches(metadata.labels)) return `${key} was bound to ${node} beside ${other}`
  }
  return undefined
}
