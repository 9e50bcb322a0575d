/**
 * What the controller keeps in mind of each autoscaler: when its turn comes, whose pods it found to be its own, what it
 * wanted and did. An autoscaler is looked at once a period, whatever happens to it in between.
 */
import type { HorizontalPodAutoscaler } from '../../api/schema/types.ts'
import { nothing, type Labels, type Selector } from '../../api/selector.ts'
import type { Lister } from '../../client/lister.ts'
import { type History, noHistory } from './history.ts'

const periodMs = 15_000

interface Mind {
  readonly namespace: string
  dueMs: number
  selector: Selector
  history: History
}

export class Turns {
  readonly #minds = new Map<string, Mind>()
  readonly #after: (key: string, ms: number) => void

  constructor(after: (key: string, ms: number) => void) {
    this.#after = after
  }

  /** It came, changed or went: its turn comes when it comes. */
  seen(key: string, namespace: string, nowMs: number): void {
    const known = this.#minds.get(key)
    if (known === undefined) this.#minds.set(key, { namespace, dueMs: nowMs + periodMs, selector: nothing, history: noHistory })
    this.#after(key, Math.max(1, (known?.dueMs ?? nowMs + periodMs) - nowMs))
  }

  /** Whether it is its turn. If so, the next is a period away. */
  takes(key: string, nowMs: number): boolean {
    const mind = this.#minds.get(key)
    if (mind === undefined) return true
    const due = mind.dueMs <= nowMs
    if (due) mind.dueMs = nowMs + periodMs
    this.#after(key, mind.dueMs - nowMs)
    return due
  }

  forget(key: string): void {
    this.#minds.delete(key)
  }

  history(key: string): History {
    return this.#minds.get(key)?.history ?? noHistory
  }

  /** With what is there, before anything was recommended. */
  begin(key: string, replicas: number, nowMs: number): void {
    if (this.history(key).recommendations.length === 0) this.remember(key, { ...this.history(key), recommendations: [{ replicas, atMs: nowMs }] })
  }

  remember(key: string, history: History): void {
    const mind = this.#minds.get(key)
    if (mind !== undefined) mind.history = history
  }

  /** Notes whose pods are its own, and gives the autoscalers of its namespace that have any of these pods. */
  claim(key: string, selector: Selector, pods: readonly Labels[], there: Lister<HorizontalPodAutoscaler>): readonly string[] {
    const mine = this.#minds.get(key)
    if (mine === undefined) return []
    mine.selector = selector
    const distinct = [...new Map(pods.map((labels) => [JSON.stringify(labels ?? {}), labels])).values()]
    const claims = [...this.#minds].filter(([other, mind]) => mind.namespace === mine.namespace && there.at(other) !== undefined && distinct.some((labels) => mind.selector.matches(labels)))
    return claims.map(([other]) => other).toSorted()
  }
}
