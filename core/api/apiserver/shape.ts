/**
 * Reading configuration files of the API server (apiserver.config.k8s.io) strictly: of the right kind, every field known
 * and of its type. What the values must be is their own rules' affair.
 */
import { parseYaml } from '../codec/yaml.ts'
import { parseDuration } from '../../lib/duration.ts'

export type Shape = 'string' | 'boolean' | 'duration' | { readonly list: Shape } | { readonly fields: Readonly<Record<string, Shape>> }

/** The file cannot be what it is meant to be. */
export class ConfigurationError extends Error {}

const group = 'apiserver.config.k8s.io'

/** The value, checked against `fields`; durations (`1m30s`) are in milliseconds. Throws ConfigurationError. */
export function readConfiguration(text: string, kind: string, versions: readonly string[], fields: Readonly<Record<string, Shape>>): Readonly<Record<string, unknown>> {
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

function readFields(value: Readonly<Record<string, unknown>>, fields: Readonly<Record<string, Shape>>, at: string, strict: string[]): Record<string, unknown> {
  const read: Record<string, unknown> = {}
  for (const [name, inner] of Object.entries(value)) {
    const place = at === '' ? name : `${at}.${name}`
    const shape = Object.hasOwn(fields, name) ? fields[name] : undefined
    if (shape === undefined) strict.push(`unknown field ${JSON.stringify(place)}`)
    else if (inner !== null) read[name] = readValue(inner, shape, place, strict)
  }
  return read
}

function readValue(value: unknown, shape: Shape, at: string, strict: string[]): unknown {
  if (shape === 'duration') return readDuration(value, at)
  if (typeof shape === 'string') {
    // oxlint-disable-next-line valid-typeof -- both are names of types
    if (typeof value !== shape) throw new ConfigurationError(`${at} must be a ${shape}`)
    return value
  }
  if ('list' in shape) {
    if (!Array.isArray(value)) throw new ConfigurationError(`${at} must be a list`)
    return value.map((element: unknown, i) => readValue(element, shape.list, `${at}[${i}]`, strict))
  }
  if (!isRecord(value)) throw new ConfigurationError(`${at} must be an object`)
  return readFields(value, shape.fields, at, strict)
}

function readDuration(value: unknown, at: string): number {
  try {
    return parseDuration(typeof value === 'string' ? value : '')
  } catch {
    throw new ConfigurationError(`${at} must be a duration such as 30s or 5m`)
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
