/** The pods of a workload, seen together: which of them do not run, and for which reasons; equal reasons are one. */
import { isPodReady, isPodTerminal } from '../api/core/podstate.ts'
import { isBeingDeleted, keyOf, keyText, type KubeObject } from '../api/meta.ts'
import type { Pod } from '../api/schema/types.ts'
import { few, section, type Finding, type Subject } from './finding.ts'
import { Pace } from './pace.ts'
import { whyPod } from './pod.ts'
import type { Reader } from './reader.ts'

/** Of so many pods that do not run the causes are looked for; more of one workload hardly have more of them. */
const lookedMax = 40

export interface Crowd {
  readonly pods: number
  readonly ready: number
  /** Causes, the most frequent first. */
  readonly causes: readonly Cause[]
}

export interface Cause {
  readonly because: string
  readonly pods: readonly Readonly<Pod>[]
  readonly sections: Finding['sections']
}

export function ownedBy<T extends KubeObject>(owner: Readonly<KubeObject>, objects: readonly Readonly<T>[]): readonly Readonly<T>[] {
  return objects.filter(({ metadata }) => metadata.ownerReferences?.some(({ uid, controller }) => controller === true && uid === owner.metadata.uid))
}

/** Pods on their way out, and those that have ended unless `ended` says that they matter, say something only where nothing else does. */
export async function crowdOf(reader: Reader, pods: readonly Readonly<Pod>[], { ended = false }: { readonly ended?: boolean } = {}): Promise<Crowd> {
  const living = pods.filter((pod) => !isBeingDeleted(pod) && (ended || !isPodTerminal(pod)))
  const looked = living.length > 0 ? living : pods
  const ready = living.filter((pod) => isPodReady(pod) && pod.status?.phase === 'Running').length
  const causes = new Map<string, { because: string; pods: Readonly<Pod>[]; sections: Finding['sections'] }>()
  const pace = new Pace(reader.ctx.signal)
  for (const pod of looked.toSorted((a, b) => Number(isPodReady(a)) - Number(isPodReady(b))).slice(0, lookedMax + ready)) {
    // Each that does not run has its events looked for among all of the namespace.
    await (isPodReady(pod) ? pace.step() : pace.turn())
    const why = await whyPod(reader, pod)
    if (why === undefined) continue
    const cause = causes.get(why.because) ?? { because: why.because, pods: [], sections: why.sections }
    cause.pods.push(pod)
    causes.set(why.because, cause)
  }
  return { pods: living.length, ready, causes: [...causes.values()].toSorted((a, b) => b.pods.length - a.pods.length) }
}

/** `pod web-1 crashes ...`, `each of 3 pods crashes ...`. */
export function causeText({ because, pods }: Cause): string {
  return pods.length === 1 ? `pod ${pods[0]?.metadata.name} ${because}` : `each of ${pods.length} pods ${because}`
}

/** `lead: first cause`, with the others as findings of their own pods. */
export function crowdFindings(about: Subject, lead: string, { causes }: Crowd): readonly Finding[] {
  const [first, ...others] = causes
  if (first === undefined) return []
  const names = first.pods.map((pod) => keyText(keyOf(pod as Pod)))
  return [
    { because: `${lead}: ${causeText(first)}`, about, sections: [...section('pods', first.pods.length > 1 ? [few(names, 10)] : []), ...first.sections] },
    ...others.map((cause): Finding => ({ because: cause.pods.length === 1 ? cause.because : `and ${cause.pods.length - 1} more: ${cause.because}`, about: { kind: 'Pod', namespace: about.namespace, name: cause.pods[0]?.metadata.name ?? '' }, sections: cause.sections })),
  ]
}
