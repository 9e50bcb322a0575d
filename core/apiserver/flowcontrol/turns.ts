/**
 * Turns of the event loop: how many requests start before the loop looks at its sockets again. On one loop, requests that
 * never wait would otherwise be served in the order of their bytes, and whoever sends a thousand at once would have the
 * server to himself until the last of them. What does not start at once waits at its level; each turn, levels are served by
 * their seats, and refusals are sent in small numbers, too: they also cost the loop.
 */
import type { Level } from './level.ts'

/** Seats that may start at once while nobody waits: enough for those whose writes were committed together to come again together. */
export const atOnceSeats = 16
/** Seats that start in one turn while others wait, at first; then as many as turns of the wanted length have room for, within bounds. */
export const turnSeats = 8
const turnSeatsMin = 4
const turnSeatsMax = 16
/** How long a turn is to be. Requests may start at once when the last one began this long ago. */
export const turnMs = 1
/** Refusals sent in one turn, and those that may wait to be sent; beyond that they are sent at once. */
const turnRefusalsMax = 4
const refusalsMax = 10_000

export class Turns {
  readonly #levels: () => Iterable<Level>
  readonly #now: () => number
  /** Seats of a level without a limit, as a weight. */
  readonly #exemptWeight: number
  #began = Number.NEGATIVE_INFINITY
  #used = 0
  #seats = turnSeats
  /** The next turn follows the last one: what lies between is what a turn takes. */
  #inRow = false
  #scheduled = false
  #pass = 0
  readonly #refusals: (() => void)[] = []

  constructor(levels: () => Iterable<Level>, now: () => number, exemptWeight: number) {
    this.#levels = levels
    this.#now = now
    this.#exemptWeight = exemptWeight
  }

  /** Whether so many seats may start now; they are counted if so. */
  room(seats: number, now: number): boolean {
    if (now - this.#began >= turnMs) {
      this.#began = now
      this.#used = 0
    } else if (this.#used >= atOnceSeats) {
      return false
    }
    this.#used += seats
    return true
  }

  /** Calls when there is a turn for a refusal. */
  refuse(send: () => void): void {
    if (this.#refusals.length >= refusalsMax) return send()
    this.#refusals.push(send)
    this.schedule()
  }

  /** Somebody waits who may be able to start. */
  schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.#turn())
  }

  #turn(): void {
    this.#scheduled = false
    const now = this.#now()
    if (this.#inRow) this.#fit(now - this.#began)
    this.#began = now
    this.#used = 0
    while (this.#used < this.#seats) {
      const level = this.#nextLevel()
      const ticket = level?.next(now)
      if (level === undefined || ticket === undefined) break
      this.#used += ticket.seats
      this.#pass = level.pass
      level.pass += ticket.seats / this.#weight(level)
      ticket.wake?.()
    }
    for (const send of this.#refusals.splice(0, turnRefusalsMax)) send()
    this.#inRow = this.#refusals.length > 0 || this.#nextLevel() !== undefined
    if (!this.#inRow) return
    this.#used = atOnceSeats // who comes now takes his place behind those that wait
    this.schedule()
  }

  #fit(took: number): void {
    if (took > 2 * turnMs) this.#seats = Math.max(turnSeatsMin, this.#seats >> 1)
    else if (took < turnMs) this.#seats = Math.min(turnSeatsMax, this.#seats + 1)
  }

  /** Of the levels that could start one, the one that has had least for its seats. */
  #nextLevel(): Level | undefined {
    let best: Level | undefined
    for (const level of this.#levels()) {
      if (!level.ready) continue
      // What it did not want it has not saved.
      level.pass = Math.max(level.pass, this.#pass)
      if (best === undefined || level.pass < best.pass) best = level
    }
    return best
  }

  #weight(level: Level): number {
    return level.mode.type === 'exempt' ? this.#exemptWeight : Math.max(1, level.limit)
  }
}
