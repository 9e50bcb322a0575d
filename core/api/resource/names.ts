/** Names of drivers, pools, devices, attributes, shares, and sets of what has names (k8s.io/kubernetes/pkg/apis/resource/validation/validation.go). */
import { subdomain, type Errors } from '../checks.ts'
import { csiDriverName } from '../core/podspec/drivers.ts'
import { duplicate, invalidValue, required, tooLong, tooMany, type Path } from '../field.ts'
import { patternSentence } from '../names.ts'

const poolBytesMax = 253
const domainMax = 63
const idMax = 32
export const qualifiedMax = domainMax + 1 + idMax

/** What a CSI driver may be called. */
export const driverName = csiDriverName

/** One or more subdomains with slashes between. */
export function poolName(errors: Errors, name: string, at: Path): void {
  if (name === '') {
    errors.push(required(at))
    return
  }
  if (Buffer.byteLength(name) > poolBytesMax) errors.push(tooLong(at, poolBytesMax))
  for (const part of name.split('/')) subdomain(errors, part, at)
}

const identifier = '[A-Za-z_][A-Za-z0-9_]*'
const identifierPattern = new RegExp(`^${identifier}$`)
const identifierSentence = patternSentence(
  "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'", identifier, 'my_name', 'MY_NAME', 'MyName',
)

function cIdentifier(errors: Errors, id: string, at: Path): void {
  if (Buffer.byteLength(id) > idMax) errors.push(tooLong(at, idMax))
  if (!identifierPattern.test(id)) errors.push(invalidValue(at, id, identifierSentence))
}

/** `model` or `gpu.example.com/model`. More slashes than one go unnoticed, as upstream. */
export function attributeName(errors: Errors, name: string, at: Path): void {
  const [first = '', second, ...more] = name.split('/')
  if (more.length > 0) return
  if (second === undefined) {
    cIdentifier(errors, first, at)
    return
  }
  if (first === '') errors.push(invalidValue(at, '', 'the domain must not be empty'))
  else driverName(errors, first, at)
  if (second === '') errors.push(invalidValue(at, '', 'the name must not be empty'))
  else cIdentifier(errors, second, at)
}

/** An attribute's name with its domain. */
export function fullAttributeName(errors: Errors, name: string, at: Path): void {
  attributeName(errors, name, at)
  if (!name.includes('/')) errors.push(invalidValue(at, name, 'a fully qualified name must be a domain and a name separated by a slash'))
}

/** Which of several allocations of one device it is. */
export function shareId(errors: Errors, id: string, at: Path): void {
  const wrong = uuidProblem(id)
  if (wrong !== undefined) errors.push(invalidValue(at, id, `error validating uid: ${wrong}`))
  else if (id.length !== 36 || id !== id.toLowerCase()) {
    errors.push(invalidValue(at, id, 'uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal characters'))
  }
}

/** In the words of github.com/google/uuid, which takes four forms. */
function uuidProblem(text: string): string | undefined {
  const length = Buffer.byteLength(text)
  if (length === 32) return /^[0-9a-f]{32}$/i.test(text) ? undefined : 'invalid UUID format'
  if (length === 45 && !/^urn:uuid:/i.test(text)) return `invalid urn prefix: ${JSON.stringify(text.slice(0, 9))}`
  if (length === 38 && !/^\{.*\}$/.test(text)) return 'invalid bracketed UUID format'
  if (![36, 38, 45].includes(length)) return `invalid UUID length: ${length}`
  const plain = length === 45 ? text.slice(9) : length === 38 ? text.slice(1, -1) : text
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(plain) ? undefined : 'invalid UUID format'
}

/** Nobody looks at the items of a list that is too long. False then. */
export function atMost(errors: Errors, list: readonly unknown[] | undefined, max: number, at: Path): boolean {
  if ((list?.length ?? 0) <= max) return true
  errors.push(tooMany(at, list?.length ?? 0, max))
  return false
}

/** Each item, after how many there are. */
export function each<T>(errors: Errors, list: readonly T[] | undefined, max: number, at: Path, check: (item: T, at: Path) => void): void {
  if (atMost(errors, list, max, at)) list?.forEach((item, i) => check(item, at.index(i)))
}

/** Each item, and that no two have one key; `max` Infinity: any number. */
export function eachOnce<T>(errors: Errors, list: readonly T[] | undefined, max: number, at: Path, key: (item: T) => string, check: (item: T, at: Path) => void): void {
  each(errors, list, max, at, check)
  if ((list?.length ?? 0) > max) return
  const seen = new Set<string>()
  list?.forEach((item, i) => {
    if (seen.has(key(item))) errors.push(duplicate(at.index(i), key(item)))
    seen.add(key(item))
  })
}

/** Keys and values of a map: a key is checked at the map, its value behind the key. */
export function entries<T>(errors: Errors, of: Readonly<Record<string, T>> | undefined, at: Path, limits: { readonly entries: number; readonly keyShown: number }, key: typeof attributeName, value?: (item: T, at: Path) => void): void {
  const found = Object.entries(of ?? {})
  if (found.length > limits.entries) {
    errors.push(tooMany(at, found.length, limits.entries))
    return
  }
  for (const [name, item] of found) {
    key(errors, name, at)
    value?.(item, at.key(shortened(name, limits.keyShown)))
  }
}

/** The middle of a long key is left out. */
function shortened(text: string, max: number): string {
  if (text.length <= max) return text
  const rest = max - 3
  return `${text.slice(0, Math.floor((rest + 1) / 2))}...${text.slice(text.length - Math.floor(rest / 2))}`
}
