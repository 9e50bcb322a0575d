/** Long looks at a large cluster give way to the rest of the process now and then, and end when nobody waits for them. */

const stepsPerTurn = 1_000

export class Pace {
  readonly #signal: AbortSignal
  #steps = 0

  constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  /** One step; every so many of them the event loop has its turn. */
  async step(): Promise<void> {
    if (++this.#steps % stepsPerTurn === 0) await this.turn()
  }

  /** For steps that are long by themselves. */
  async turn(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve))
    this.#signal.throwIfAborted()
  }
}
