/** Long looks at a large cluster give way to the rest of the process now and then. */

const stepsPerTurn = 1_000

export class Pace {
  #steps = 0

  /** One step; every so many of them the event loop has its turn. */
  async step(): Promise<void> {
    if (++this.#steps % stepsPerTurn === 0) await new Promise<void>((resolve) => setImmediate(resolve))
  }
}
