/**
 * The name under which fields are owned: what it may look like, and whom a request that names nobody writes for. Which
 * fields are whose is patch/managedfields.ts.
 */
import { invalidValue, tooLong, type FieldError, type Path } from './field.ts'

const managerBytesMax = 128

/** What Go's unicode.IsPrint refuses: control and format characters, and every space but the ordinary one. */
const unprintable = /(?! )[\p{C}\p{Z}]/u
const unprintables = new RegExp(unprintable, 'gu')

/** Short, and only characters one can print. */
export function validateManagerName(manager: string, at: Path): FieldError[] {
  const errors: FieldError[] = []
  if (Buffer.byteLength(manager) > managerBytesMax) errors.push(tooLong(at, managerBytesMax))
  if (!unprintable.test(manager)) return errors
  let position = 0
  for (const c of manager) {
    if (unprintable.test(c)) {
      const code = (c.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
      errors.push(invalidValue(at, manager, `invalid character U+${code} (at position ${position})`))
    }
    position += Buffer.byteLength(c)
  }
  return errors
}

/** `kubectl/v1.36 (linux/amd64)` -> `kubectl`: what stands before the first slash and may be a manager's name, as far as it is short enough. */
export function managerOfAgent(agent: string): string {
  let name = ''
  let bytes = 0
  for (const c of (agent.split('/', 1)[0] ?? '').replaceAll(unprintables, '')) {
    bytes += Buffer.byteLength(c)
    if (bytes > managerBytesMax) break
    name += c
  }
  return name === '' ? 'unknown' : name
}
