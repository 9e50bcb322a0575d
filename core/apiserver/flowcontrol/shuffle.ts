/**
 * Shuffle sharding: a flow is dealt a hand of queues, and its requests go to the emptiest of them. Two flows rarely have the
 * whole hand in common, so one that fills its queues leaves the other a way (k8s.io/apiserver/pkg/util/shufflesharding).
 */
import { createHash } from 'node:crypto'

/** What a flow is dealt by: the same for the same flow, however often it is asked. */
export function flowHash(schema: string, distinguisher: string): bigint {
  return createHash('sha256').update(`${schema}\0${distinguisher}`).digest().readBigUInt64LE(0)
}

/** `handSize` different numbers below `deckSize`. */
export function deal(hash: bigint, deckSize: number, handSize: number): readonly number[] {
  const hand: number[] = []
  let left = hash
  for (let i = 0; i < handSize; i++) {
    const size = BigInt(deckSize - i)
    hand.push(Number(left % size))
    left /= size
  }
  // Each number counts the cards that are left: those that were dealt before it and lie below it push it up.
  return hand.map((card, i) => {
    let at = card
    for (let j = i - 1; j >= 0; j--) if (at >= (hand[j] as number)) at++
    return at
  })
}
