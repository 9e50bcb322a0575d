/** What must hold whatever happens, each under its name. The list is invariants.ts. */
import type { Faults } from './faults.ts'
import type { Happened, History } from './history.ts'

export interface Scene {
  readonly history: History
  readonly faults: Pick<Faults, 'unheard'>
  /** What happened longer ago than this has been heard of by everybody. */
  readonly lateMs: number
}

export interface Invariant {
  readonly name: string
  /** For one run: it may remember what it has seen. Each function says what is wrong. */
  readonly begin: (scene: Scene) => {
    /** In the moment of each change. */
    readonly after?: (happened: Happened) => string | undefined
    /** When the faults are over and everything has settled. */
    readonly end?: () => string | undefined
  }
}
