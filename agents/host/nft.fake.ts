/** Nft for tests: remembers the texts; says what `answer` says. */
import type { Nft } from './nft.ts'

export interface FakeNft extends Nft {
  readonly loads: string[]
  readonly removed: string[]
}

export function fakeNft(answer: (ruleset: string) => Error | undefined = () => undefined): FakeNft {
  const loads: string[] = []
  const removed: string[] = []
  return {
    loads,
    removed,
    load(_ctx, ruleset) {
      loads.push(ruleset)
      const error = answer(ruleset)
      return error === undefined ? Promise.resolve() : Promise.reject(error)
    },
    has: () => Promise.resolve(loads.length > removed.length),
    list: () => Promise.resolve(undefined),
    remove: (_ctx, table) => Promise.resolve(void removed.push(table)),
  }
}
