/**
 * Errors as values, for the inside of an evaluation: && and || look past them, and what they have cost counts like the
 * cost of anything else. Outside there is only EvaluationError.
 */
import { CelError, type Value } from './value.ts'

export class Failure {
  readonly message: string
  constructor(message: string) {
    this.message = message
  }
}

export type Result = Value | Failure

/** What `compute` throws as CelError becomes a Failure. */
export function attempt(compute: () => Value): Result {
  try {
    return compute()
  } catch (error) {
    return failureOf(error)
  }
}

/** What was caught, if it is the expression's own fault. */
export function failureOf(error: unknown): Failure {
  if (error instanceof CelError) return new Failure(error.message)
  throw error
}

export const noSuchOverload = new Failure('no such overload')
