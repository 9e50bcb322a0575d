/** Where in a definition's schema a rule stands, and what goes there: handed down from the root as the schema is gone through. */
import type { Path } from '../field.ts'

export interface Standing {
  readonly root: boolean
  /** Defaults may be set. */
  readonly defaults: boolean
  /** Why not. */
  readonly noDefaultsReason: string
  /** Inside kind, apiVersion or metadata of an object. */
  readonly insideMeta: boolean
  /** The outermost place from which on old and new values cannot be told to belong together. */
  readonly uncorrelated: Path | undefined
}

export const atRoot: Standing = { root: true, defaults: true, noDefaultsReason: '', insideMeta: false, uncorrelated: undefined }

export const below = (at: Standing): Standing => (at.root ? { ...at, root: false } : at)

export function withoutDefaults(at: Standing, reason: string): Standing {
  return { ...at, defaults: false, noDefaultsReason: reason }
}

export function uncorrelatedFrom(at: Standing, path: Path): Standing {
  return at.uncorrelated === undefined ? { ...at, uncorrelated: path } : at
}
