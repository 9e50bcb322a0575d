/**
 * When a refused client is to come back: a second at first, doubled while a level keeps refusing many, one less whenever it
 * refuses few (k8s.io/apiserver/pkg/util/flowcontrol/dropped_requests_tracker.go).
 */

const retryAfterSMax = 32

export class RetryAfter {
  /** Seconds, as refusals say it. */
  seconds = 1
  #second = 0
  #refused = 0
  #raised = 0
  #past: { readonly second: number; readonly refused: number }[] = []

  /** `now`: milliseconds. */
  refused(now: number): void {
    const second = Math.floor(now / 1_000)
    if (second === this.#second) {
      this.#refused++
      return
    }
    this.#past.push({ second: this.#second, refused: this.#refused })
    const keep = Math.min(2 * this.seconds, retryAfterSMax)
    this.#past = this.#past.filter((one) => this.#second - one.second <= keep)
    this.#second = second
    this.#refused = 1
    this.#adjust(second)
  }

  /** By the seconds before this one: of this one, too little is known. */
  #adjust(second: number): void {
    const lately = this.#past.filter((one) => second - one.second <= this.seconds).reduce((all, one) => all + one.refused, 0)
    if (second - this.#raised >= this.seconds && lately >= 3 * this.seconds) {
      this.seconds = Math.min(2 * this.seconds, retryAfterSMax)
      this.#raised = second
    } else if (lately < this.seconds && this.seconds > 1) {
      this.seconds--
    }
  }
}
