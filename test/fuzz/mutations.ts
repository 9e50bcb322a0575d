/** Inputs made of real ones: bits and bytes, pieces taken out, doubled, moved in from another input, words that decoders trip over. */
import type { Random } from '../../core/lib/random.ts'

const encoder = new TextEncoder()

const words: readonly Uint8Array[] = [
  ...['', '\u0000', '{', '}', '[', ']', '"', "'", '\\', ',', ':', '(', ')', '$', '@', '..', '*', '&a ', '*a', '- ', '\n', '\t', '---\n', '<<: *a', '|', '>', '%', '%zz', '/', '//', '~0', '~1', '~2', '-1', '0', '1e999', '9223372036854775808', '0x', 'null', 'true', 'é', '\u{1f600}', '\u2028', '\ufeff', '\ud800', '__proto__', 'constructor', 'toString', '$patch', '$retainKeys', '$setElementOrder/x', '$deleteFromPrimitiveList/x', '=', '==', '!=', '!', ' in ', ' notin ', '&&', '||', '?', '.?', 'has(', 'all(x, ', 'Gi', 'e', 'E', '.', '-', '+', 'T', 'Z', ';', '-----BEGIN CERTIFICATE-----', '-----END CERTIFICATE-----'].map((word) => encoder.encode(word)),
  Uint8Array.of(0xff), Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01), Uint8Array.of(0x7f, 0xff, 0xff, 0xff), Uint8Array.of(0xc3, 0x28), Uint8Array.of(0x30, 0x80), Uint8Array.of(0, 0, 0, 0),
]

/** No input is longer than this; what decoders take of megabytes is told by their own tests. */
export const inputBytesMax = 16 * 1_024
const repeatsMax = 400

export function mutant(random: Random, corpus: readonly Uint8Array[]): Uint8Array {
  const drawn = (): Uint8Array => corpus[random.int(corpus.length)] ?? new Uint8Array()
  let input: Uint8Array = drawn()
  for (let i = random.int(5); i >= 0; i--) input = change(random, input, drawn)
  return input.length > inputBytesMax ? input.subarray(0, inputBytesMax) : input
}

function change(random: Random, input: Uint8Array, other: () => Uint8Array): Uint8Array {
  const at = random.int(input.length + 1)
  const end = Math.min(input.length, at + 1 + random.int(random.int(8) === 0 ? 200 : 12))
  switch (random.int(9)) {
    case 0: {
      const mine = input.slice()
      if (at < mine.length) mine[at] = (mine[at] ?? 0) ^ (1 << random.int(8))
      return mine
    }
    case 1: {
      const mine = input.slice()
      if (at < mine.length) mine[at] = random.int(256)
      return mine
    }
    case 2: return spliced(input, at, end, new Uint8Array())
    case 3: return spliced(input, at, at, input.subarray(at, end))
    case 4: return spliced(input, at, at, words[random.int(words.length)] ?? new Uint8Array())
    case 5: return spliced(input, at, end, words[random.int(words.length)] ?? new Uint8Array())
    case 6: {
      const from = other()
      const start = random.int(from.length + 1)
      return spliced(input, at, random.int(2) === 0 ? at : end, from.subarray(start, start + 1 + random.int(64)))
    }
    case 7: return random.int(6) === 0 ? spliced(input, at, at, repeated(input.subarray(at, end), 1 + random.int(repeatsMax))) : input.subarray(0, at)
    default: return spliced(input, at, end, input.subarray(random.int(input.length + 1)).subarray(0, 40))
  }
}

function spliced(input: Uint8Array, from: number, to: number, into: Uint8Array): Uint8Array {
  const made = new Uint8Array(input.length - (to - from) + into.length)
  made.set(input.subarray(0, from))
  made.set(into, from)
  made.set(input.subarray(to), from + into.length)
  return made
}

function repeated(piece: Uint8Array, times: number): Uint8Array {
  const made = new Uint8Array(piece.length * times)
  for (let i = 0; i < times; i++) made.set(piece, i * piece.length)
  return made
}
