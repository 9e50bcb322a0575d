/**
 * Reading configuration files (apiserver.config.k8s.io, kubescheduler.config.k8s.io) strictly: of the right kind, every
 * field known and of its type. What the values must be is their own rules' affair.
 */
import { parseYaml } from '../codec/yaml.ts'
import { definition } from '../schema/schema.ts'
import { decodeValue } from '../schema/validate.ts'
import { parseDuration } from '../../lib/duration.ts'

export type Shape =
  | 'string' | 'boolean' | 'duration' | 'number' | 'integer'
  /** Whatever it is, somebody else reads it. */
  | 'any'
  | { readonly list: Shape }
  | { readonly fields: Readonly<Record<string, Shape>> }
  /** A type of the API, by the name of its definition. */
  | { readonly type: string }

/** The file cannot be what it is meant to be. */
export class ConfigurationError extends Error {}

const apiServerGroup = 'apiserver.config.k8s.io'

export type Fields = Readonly<Record<string, Shape>>

/** The value, checked against `fields`; durations (`1m30s`) are in milliseconds. Throws ConfigurationError. */
export function readConfiguration(text: string, kind: string, versions: readonly string[], fields: Fields, group = apiServerGroup): Readonly<Record<string, unknown>> {
  if (text === '') throw new ConfigurationError('empty config data')
  const parsed = parseYaml(text)
  if (!parsed.ok) throw new ConfigurationError(parsed.error)
  const value = parsed.value
  if (!isRecord(value)) throw new ConfigurationError(`there is no ${kind} in it`)
  const version = value['apiVersion']
  if (value['kind'] !== kind || typeof version !== 'string' || !versions.some((v) => version === `${group}/${v}`)) {
    throw new ConfigurationError(`no kind ${JSON.stringify(value['kind'] ?? '')} is registered for version ${JSON.stringify(version ?? '')}: it must be ${kind} of ${versions.map((v) => `${group}/${v}`).join(' or ')}`)
  }
  const strict: string[] = [...parsed.duplicates]
  const { kind: _kind, apiVersion: _version, ...rest } = value
  const read = readFields(rest, fields, '', strict)
  if (strict.length > 0) throw new ConfigurationError(`strict decoding error: ${strict.join(', ')}`)
  return read
}

/** `strict` gets the fields that are not known. Throws ConfigurationError. */
export function readFields(value: Readonly<Record<string, unknown>>, fields: Fields, at: string, strict: string[]): Record<string, unknown> {
  const read: Record<string, unknown> = {}
  // In the order of names, as Go has them when it comes from YAML.
  for (const [name, inner] of Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const place = at === '' ? name : `${at}.${name}`
    const shape = Object.hasOwn(fields, name) ? fields[name] : undefined
    if (shape === undefined) strict.push(`unknown field ${JSON.stringify(place)}`)
    else if (inner !== null) read[name] = readValue(inner, shape, place, strict)
  }
  return read
}

function readValue(value: unknown, shape: Shape, at: string, strict: string[]): unknown {
  if (shape === 'any') return value
  if (shape === 'duration') return readDuration(value, at)
  if (shape === 'integer') {
    if (!Number.isInteger(value)) throw new ConfigurationError(`${at} must be an integer`)
    return value
  }
  if (typeof shape === 'string') {
    // oxlint-disable-next-line valid-typeof -- all are names of types
    if (typeof value !== shape) throw new ConfigurationError(`${at} must be a ${shape}`)
    return value
  }
  if ('list' in shape) {
    if (!Array.isArray(value)) throw new ConfigurationError(`${at} must be a list`)
    return value.map((element: unknown, i) => readValue(element, shape.list, `${at}[${i}]`, strict))
  }
  if (!isRecord(value)) throw new ConfigurationError(`${at} must be an object`)
  return 'type' in shape ? readTyped(value, shape.type, at, strict) : readFields(value, shape.fields, at, strict)
}

function readTyped(value: Readonly<Record<string, unknown>>, type: string, at: string, strict: string[]): unknown {
  const { object, error, unknown } = decodeValue(definition(type), value)
  if (error !== undefined) throw new ConfigurationError(`${at}: ${error}`)
  strict.push(...unknown.map((field) => field.replace('"', `"${at}.`)))
  return object
}

function readDuration(value: unknown, at: string): number {
  try {
    return parseDuration(typeof value === 'string' ? value : '')
  } catch {
    throw new ConfigurationError(`${at} must be a duration such as 30s or 5m`)
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
