/**
 * The search for devices: one claim after the other, each request in turn, each device of it in every order that makes a
 * difference; the first way that works is taken (allocator_incubating.go, allocateOne). What was tried is taken back when it leads nowhere.
 */
import type { DeviceTaint, DeviceToleration } from '../../api/schema/types.ts'
import { consumedBy, isEnough } from './capacity.ts'
import type { Candidate } from './constraints.ts'
import type { AvailableCounters } from './counters.ts'
import { ConsumedCounters } from './counters.ts'
import { amountOf, type Capacities, type DeviceId } from './devices.ts'
import { type Ask, type AskDeps, type Choice, choicesOf, type ClaimAsks, matches, resultsMax, Unallocatable } from './requests.ts'
import { toleratesTaint } from '../../api/resource/tolerations.ts'

/** Devices looked at for one node: past it the node is given up, even when there would be time left. */
export const looksMax = 1_000_000
/** So many looks are between two at the clock. */
const looksPerGlance = 1_024

/** Too many ways to try, or too little time. */
export class SearchTooLong extends Error {}

export interface Chosen extends Choice {
  readonly ask: Ask
  /** Where others may have the device, too: what this one takes of it. */
  readonly consumed?: Readonly<Record<string, string>>
}

/** 'too many': no way leads on from here, because a claim would have more devices than it may. */
type Found = 'yes' | 'no' | 'too many'

interface At {
  readonly claim: number
  readonly request: number
  /** Undefined: which one is still open. */
  readonly alternative?: number
  /** Devices that the request has already. */
  readonly device: number
}

export interface SearchDeps extends AskDeps {
  readonly counters: AvailableCounters
  /** Whether the node's time is over. */
  readonly isLate?: () => boolean
}

export class Search {
  readonly #deps: SearchDeps
  readonly #claims: readonly ClaimAsks[]
  /** Of each claim. */
  readonly chosen: Chosen[][]
  /** Which alternative of each request of each claim it came to. */
  readonly picked: number[][]
  readonly #choices: readonly Choice[]
  readonly #counters: ConsumedCounters
  /** Which claims have taken a device: several only with admin access. */
  readonly #takers = new Map<DeviceId, Set<number>>()
  readonly #shares = new Map<DeviceId, Capacities[]>()
  #looks = 0

  constructor(claims: readonly ClaimAsks[], deps: SearchDeps) {
    this.#claims = claims
    this.#deps = deps
    this.chosen = claims.map(() => [])
    this.picked = claims.map(({ requests }) => requests.map(() => 0))
    this.#choices = deps.pools.flatMap(choicesOf)
    this.#counters = new ConsumedCounters(deps.counters)
  }

  run(): boolean {
    return this.#next({ claim: 0, request: 0, device: 0 }, 0) === 'yes'
  }

  /** `from`: devices of one request are tried in one order only. */
  #next(at: At, from: number): Found {
    const claim = this.#claims[at.claim]
    if (claim === undefined) return 'yes'
    const alternatives = claim.requests[at.request]
    if (alternatives === undefined) {
      // Another claim may need fewer when the ones before it are served otherwise.
      const found = this.#next({ claim: at.claim + 1, request: 0, device: 0 }, 0)
      return found === 'too many' ? 'no' : found
    }
    if (at.alternative === undefined && alternatives[0]?.parent !== undefined) return this.#anyOf(at, alternatives)
    const ask = alternatives[at.alternative ?? 0]
    return ask === undefined ? 'no' : this.#serve(at, ask, from)
  }

  #anyOf(at: At, alternatives: readonly Ask[]): Found {
    let all = true
    for (const alternative of alternatives.keys()) {
      const found = this.#next({ ...at, alternative }, 0)
      if (found === 'yes') {
        this.picked[at.claim]?.splice(at.request, 1, alternative)
        return 'yes'
      }
      all &&= found === 'too many'
    }
    return all ? 'too many' : 'no'
  }

  #serve(at: At, ask: Ask, from: number): Found {
    if (ask.all?.length === 0) return 'no'
    if (at.device >= ask.count) return this.#next({ claim: at.claim, request: at.request + 1, device: 0 }, 0)
    const have = this.chosen[at.claim]?.length ?? 0
    if (have + ask.count - at.device > resultsMax) return 'too many'
    const then: At = { ...at, device: at.device + 1 }
    if (ask.all !== undefined) return this.#with(at, ask, ask.all[at.device], () => this.#next(then, 0), true)
    for (let i = from; i < this.#choices.length; i++) {
      const choice = this.#choices[i] as Choice
      this.#mayLookOn()
      if (!this.#mayHave(at, ask, choice)) continue
      const found = this.#with(at, ask, choice, () => this.#next(then, i + 1), false)
      if (found !== 'no') return found
    }
    return 'no'
  }

  #mayLookOn(): void {
    const late = ++this.#looks % looksPerGlance === 0 && this.#deps.isLate?.() === true
    if (late || this.#looks > looksMax) throw new SearchTooLong()
  }

  #mayHave(at: At, ask: Ask, choice: Choice): boolean {
    const taken = ask.adminAccess ? this.#takers.get(choice.id)?.has(at.claim) === true : this.#isTaken(choice.id)
    const claim = this.#claims[at.claim]?.claim
    return !taken && claim !== undefined && matches(claim, ask, choice, this.#deps) && this.#hasRoom(ask, choice)
  }

  #isTaken(id: DeviceId): boolean {
    return this.#deps.inUse.whole.has(id) || (this.#takers.get(id)?.size ?? 0) > 0
  }

  #hasRoom(ask: Ask, { id, device }: Choice): boolean {
    return isEnough(ask.wanted, device.capacity ?? {}, [this.#deps.inUse.shared.get(id), ...(this.#shares.get(id) ?? [])])
  }

  /** Goes on with the device, where it can be had. `must`: without it there is nothing to try. */
  #with(at: At, ask: Ask, choice: Choice | undefined, goOn: () => Found, must: boolean): Found {
    const giveBack = choice === undefined ? undefined : this.#take(at, ask, choice, must)
    if (giveBack === undefined) return 'no'
    const found = goOn()
    if (found !== 'yes') giveBack()
    return found
  }

  /** What takes it back; undefined: it cannot be had. */
  #take(at: At, ask: Ask, choice: Choice, must: boolean): (() => void) | undefined {
    const { id, device, pool } = choice
    const multiple = device.allowMultipleAllocations === true
    if (!multiple && ask.adminAccess && this.#takers.get(id)?.has(at.claim) === true) return undefined
    if (!ask.adminAccess && this.#isTaken(id)) return undefined
    const undo: (() => void)[] = []
    const back = (): undefined => {
      for (const each of undo.toReversed()) each()
      return undefined
    }
    // The first share of a device pays for all.
    const paid = multiple && (this.#deps.inUse.shared.has(id) || this.#shares.has(id))
    if (!paid && (device.consumesCounters?.length ?? 0) > 0) {
      if (!this.#counters.take(pool, device)) return undefined
      undo.push(() => this.#counters.giveBack(pool, device))
    }
    if (!isTolerated(device.taints ?? [], ask.tolerations ?? [])) return back()
    if (!this.#constrain(at, ask, choice, undo)) {
      back()
      if (must) throw new Unallocatable(`claim ${this.#shown(at)}, request ${ask.name}: cannot add device ${id} because a claim constraint would not be satisfied`)
      return undefined
    }
    if (!this.#hasRoom(ask, choice)) return back()
    this.#record(at, ask, choice, undo)
    return back
  }

  #constrain(at: At, ask: Ask, { device, pool }: Choice, undo: (() => void)[]): boolean {
    const candidate: Candidate = { driver: pool.driver, device, ...(ask.parent === undefined ? { request: ask.name } : { request: ask.parent, alternative: ask.name }) }
    return (this.#claims[at.claim]?.constraints ?? []).every((constraint) => {
      if (!constraint.add(candidate)) return false
      undo.push(() => constraint.remove(candidate))
      return true
    })
  }

  #record(at: At, ask: Ask, choice: Choice, undo: (() => void)[]): void {
    const { id, device } = choice
    const mine = this.chosen[at.claim] as Chosen[]
    if (device.allowMultipleAllocations === true) {
      const consumed = consumedBy(ask.wanted, device.capacity ?? {})
      const shares = this.#shares.get(id) ?? []
      this.#shares.set(id, [...shares, new Map(Object.entries(consumed).map(([name, quantity]) => [name, amountOf(quantity)]))])
      undo.push(() => (shares.length === 0 ? this.#shares.delete(id) : this.#shares.set(id, shares)))
      mine.push({ ...choice, ask, consumed })
    } else {
      const takers = this.#takers.get(id) ?? new Set()
      this.#takers.set(id, takers.add(at.claim))
      undo.push(() => takers.delete(at.claim))
      mine.push({ ...choice, ask })
    }
    undo.push(() => mine.pop())
  }

  #shown(at: At): string {
    const { namespace = '', name = '' } = this.#claims[at.claim]?.claim.metadata ?? {}
    return namespace === '' ? name : `${namespace}/${name}`
  }
}

function isTolerated(taints: readonly Readonly<DeviceTaint>[], tolerations: readonly Readonly<DeviceToleration>[]): boolean {
  return taints.every((taint) => (taint.effect !== 'NoExecute' && taint.effect !== 'NoSchedule') || tolerations.some((toleration) => toleratesTaint(toleration, taint)))
}
