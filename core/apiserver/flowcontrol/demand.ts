/**
 * How many seats a level could use, over time: mean, deviation and peak since the last look, and what they come to when
 * they are smoothed over minutes (k8s.io/apiserver/pkg/util/flowcontrol: fairqueuing/integrator.go, seatDemandStats).
 */

/** Half of an old demand is forgotten in five minutes of looks. */
const smoothing = 0.977

export class Demand {
  #value = 0
  #peak = 0
  #since: number
  #time = 0
  #sum = 0
  #squares = 0
  average = 0
  deviation = 0
  highWatermark = 0
  smoothed = 0

  /** Times are those of a clock that never jumps, in milliseconds. */
  constructor(now: number) {
    this.#since = now
  }

  set(value: number, now: number): void {
    this.#pass(now)
    this.#value = value
    if (value > this.#peak) this.#peak = value
  }

  /** Takes what was gathered into the figures, and gathers anew. */
  look(now: number): void {
    this.#pass(now)
    this.highWatermark = Math.round(this.#peak)
    this.#peak = this.#value
    if (this.#time <= 0) return
    this.average = this.#sum / this.#time
    this.deviation = Math.sqrt(Math.max(0, this.#squares / this.#time - this.average ** 2))
    const envelope = this.average + this.deviation
    this.smoothed = Math.max(envelope, smoothing * this.smoothed + (1 - smoothing) * envelope)
    this.#time = 0
    this.#sum = 0
    this.#squares = 0
  }

  #pass(now: number): void {
    const time = now - this.#since
    if (time <= 0) return
    this.#since = now
    this.#time += time
    this.#sum += this.#value * time
    this.#squares += this.#value ** 2 * time
  }
}
