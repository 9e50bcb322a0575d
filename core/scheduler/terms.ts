/**
 * Terms of inter-pod affinity: read once for all pods that were made from one template, and, for placed pods, counted
 * together by who has the same term (upstream's AffinityTerm in k8s.io/kube-scheduler/framework).
 */
import type { Pod, PodAffinityTerm, WeightedPodAffinityTerm } from '../api/schema/types.ts'
import { type Labels, nothing, type Selector, selectorOf } from '../api/selector.ts'
import { Tally } from './tally.ts'
import type { NodeInfo } from './world.ts'

export interface AffinityTerm {
  /** Equal terms of pods of the same namespace have the same. */
  readonly id: string
  readonly topologyKey: string
  /** 0 where the term is required. */
  readonly weight: number
  readonly namespaces: ReadonlySet<string>
  readonly namespaceSelector: Selector
  readonly selector: Selector
}

export type TermSort = 'affinity' | 'antiAffinity' | 'preferredAffinity' | 'preferredAntiAffinity'
export type Terms = Readonly<Record<TermSort, readonly AffinityTerm[]>>

const none: Terms = { affinity: [], antiAffinity: [], preferredAffinity: [], preferredAntiAffinity: [] }
const ofPod = new WeakMap<object, Terms>()
const ofTemplate = new Map<string, Terms>()
/** Templates remembered; then all are forgotten. */
const templatesMax = 10_000

export function termsOf(pod: Readonly<Pod>): Terms {
  const affinity = pod.spec?.affinity
  if (affinity?.podAffinity === undefined && affinity?.podAntiAffinity === undefined) return none
  let terms = ofPod.get(pod)
  if (terms !== undefined) return terms
  const template = JSON.stringify([pod.metadata.namespace, affinity.podAffinity, affinity.podAntiAffinity])
  terms = ofTemplate.get(template)
  if (terms === undefined) {
    if (ofTemplate.size >= templatesMax) ofTemplate.clear()
    ofTemplate.set(template, (terms = read(pod)))
  }
  ofPod.set(pod, terms)
  return terms
}

function read(pod: Readonly<Pod>): Terms {
  const { podAffinity, podAntiAffinity } = pod.spec?.affinity ?? {}
  const required = (terms: readonly PodAffinityTerm[] | undefined): AffinityTerm[] => (terms ?? []).map((term) => termOf(pod, term, 0))
  const preferred = (terms: readonly WeightedPodAffinityTerm[] | undefined): AffinityTerm[] => (terms ?? []).map((term) => termOf(pod, term.podAffinityTerm, term.weight))
  return {
    affinity: required(podAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    antiAffinity: required(podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    preferredAffinity: preferred(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
    preferredAntiAffinity: preferred(podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
  }
}

/** A term that names no namespaces means the pod's own; no selector selects nothing. */
function termOf(pod: Readonly<Pod>, term: Readonly<PodAffinityTerm>, weight: number): AffinityTerm {
  const named = term.namespaces ?? []
  const own = named.length === 0 && term.namespaceSelector === undefined
  const namespaces = own ? [pod.metadata.namespace ?? ''] : named
  const { labelSelector, namespaceSelector, topologyKey } = term
  return {
    id: JSON.stringify([namespaces, labelSelector, namespaceSelector, topologyKey, weight]),
    topologyKey,
    weight,
    namespaces: new Set(namespaces),
    namespaceSelector: namespaceSelector === undefined ? nothing : selectorOf(namespaceSelector),
    selector: labelSelector === undefined ? nothing : selectorOf(labelSelector),
  }
}

/** Whether the term means this pod; `namespaceLabels` are those of the pod's namespace. */
export function meansPod(term: AffinityTerm, pod: Readonly<Pod>, namespaceLabels: Labels): boolean {
  const there = term.namespaces.has(pod.metadata.namespace ?? '') || term.namespaceSelector.matches(namespaceLabels)
  return there && term.selector.matches(pod.metadata.labels)
}

/** A term and where the placed pods are that have it. */
export interface HeldTerm {
  readonly term: AffinityTerm
  readonly holders: Tally
}

/** The terms of all placed pods, by sort. */
export class HeldTerms {
  readonly #sorts: Readonly<Record<TermSort, Map<string, HeldTerm>>> = { affinity: new Map(), antiAffinity: new Map(), preferredAffinity: new Map(), preferredAntiAffinity: new Map() }

  of(sort: TermSort): Iterable<HeldTerm> {
    return this.#sorts[sort].values()
  }

  count(node: NodeInfo, pod: Readonly<Pod>, sign: 1 | -1): void {
    const terms = termsOf(pod)
    if (terms === none) return
    for (const sort of Object.keys(this.#sorts) as TermSort[]) for (const term of terms[sort]) this.#shift(this.#sorts[sort], term, node, sign)
  }

  relabel(): void {
    for (const held of Object.values(this.#sorts)) for (const { holders } of held.values()) holders.relabel()
  }

  #shift(held: Map<string, HeldTerm>, term: AffinityTerm, node: NodeInfo, sign: 1 | -1): void {
    let entry = held.get(term.id)
    if (entry === undefined) held.set(term.id, (entry = { term, holders: new Tally(() => true) }))
    entry.holders.shift(node, sign)
    if (entry.holders.total === 0) held.delete(term.id)
  }
}
