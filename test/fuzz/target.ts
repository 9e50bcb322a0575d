/** What is fuzzed: a decoder, real inputs to begin with, and what it may say to bad ones. */
import { PatchFailed } from '../../core/api/patch/json.ts'
import { ApiError } from '../../core/api/errors.ts'

export interface Target {
  readonly name: string
  /** Real inputs; changed ones are made of them. */
  readonly corpus: readonly Uint8Array[]
  /** Gets one input. What it throws must be `refusal`. */
  readonly run: (input: Uint8Array) => unknown
  /** Errors that are answers; ApiError unless it says more. */
  readonly refuses?: (error: unknown) => boolean
  /** Of all inputs, how large a part is this target's, beside 1 of others: slow ones take less. */
  readonly share?: number
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export function bytesOf(...texts: readonly string[]): readonly Uint8Array[] {
  return texts.map((text) => encoder.encode(text))
}

export function jsonOf(...values: readonly unknown[]): readonly Uint8Array[] {
  return bytesOf(...values.map((value) => JSON.stringify(value)))
}

/** A target that reads text. */
export function textTarget(name: string, corpus: readonly string[], run: (text: string) => unknown, more: Pick<Target, 'refuses' | 'share'> = {}): Target {
  return { name, corpus: bytesOf(...corpus), run: (input) => run(decoder.decode(input)), ...more }
}

export function isRefusal(target: Target, error: unknown): boolean {
  return error instanceof ApiError || error instanceof PatchFailed || target.refuses?.(error) === true
}
