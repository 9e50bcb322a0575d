/** Paths in volumes: what may be named, and with which file mode (k8s.io/kubernetes/pkg/apis/core/validation/validation.go). */
import { needsText, type Errors } from '../../checks.ts'
import { invalidValue, type Path } from '../../field.ts'
import type { KeyToPath } from '../../schema/types.ts'

export function noBacksteps(errors: Errors, text: string, at: Path): void {
  if (text.split('/').includes('..')) errors.push(invalidValue(at, text, "must not contain '..'"))
}

export function relativePath(errors: Errors, text: string, at: Path): void {
  if (text.startsWith('/')) errors.push(invalidValue(at, text, 'must be a relative path'))
  noBacksteps(errors, text, at)
}

/** A path inside a volume, whose own names begin with `..`. */
export function localPath(errors: Errors, text: string, at: Path): void {
  relativePath(errors, text, at)
  if (text.startsWith('..') && !text.startsWith('../')) errors.push(invalidValue(at, text, "must not start with '..'"))
}

const modeSentence = 'must be a number between 0 and 0777 (octal), both inclusive'

export function fileMode(errors: Errors, mode: number | undefined, at: Path): void {
  if (mode !== undefined && (mode > 0o777 || mode < 0)) errors.push(invalidValue(at, mode, modeSentence))
}

export function keyToPath(errors: Errors, item: Readonly<KeyToPath>, at: Path): void {
  needsText(errors, item.key, at.child('key'))
  needsText(errors, item.path, at.child('path'))
  localPath(errors, item.path, at.child('path'))
  fileMode(errors, item.mode, at.child('mode'))
}
