/** Chance. The only file that draws random numbers; everything else is handed a Random, so that a run replays from its seed. */

export interface Random {
  /** In [0, 1). */
  fraction(): number
  /** A whole number in [0, below). */
  int(below: number): number
  bytes(length: number): Uint8Array
  /** A version 4 UUID. */
  uuid(): string
  /** Letters that upstream's generateName uses: no vowels, so no words (k8s.io/apimachinery/pkg/util/rand). */
  suffix(length: number): string
}

const suffixLetters = 'bcdfghjklmnpqrstvwxz2456789'

function complete(bytes: (length: number) => Uint8Array, fraction: () => number): Random {
  const int = (below: number): number => Math.floor(fraction() * below)
  return {
    bytes,
    fraction,
    int,
    uuid() {
      const b = bytes(16)
      b[6] = ((b[6] ?? 0) & 0x0f) | 0x40
      b[8] = ((b[8] ?? 0) & 0x3f) | 0x80
      const hex = Array.from(b, (x) => x.toString(16).padStart(2, '0')).join('')
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
    },
    suffix: (length) => Array.from({ length }, () => suffixLetters[int(suffixLetters.length)]).join(''),
  }
}

/** Cryptographic, for everything that runs for real. */
export const systemRandom: Random = {
  ...complete(
    (length) => crypto.getRandomValues(new Uint8Array(length)),
    () => (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32,
  ),
  uuid: () => crypto.randomUUID(),
}

/** Deterministic (mulberry32); for tests and simulation only. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  return complete((length) => Uint8Array.from({ length }, () => Math.floor(fraction() * 256)), fraction)
}
