/** Rules of ConfigMaps and Secrets: keys, sizes, what never changes, what typed secrets hold (k8s.io/kubernetes/pkg/apis/core/validation/validation.go). */
import { immutable, say, type Errors } from '../checks.ts'
import { equalJson } from '../../lib/json.ts'
import { forbiddenField, invalidValue, path, required, tooLong } from '../field.ts'
import type { Strategy } from '../kind.ts'
import { configKey } from '../names.ts'
import type { ConfigMap, Secret } from '../schema/types.ts'
import { keyPairWarning } from './keypairs.ts'

/** Bytes of all values of an object. */
const dataBytesMax = 1_024 * 1_024

/** Length of what base64 text stands for. */
const decodedLength = (text: string): number => (text.length / 4) * 3 - (text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0)

function validateMap(map: Readonly<ConfigMap>): Errors {
  const errors: Errors = []
  let bytes = 0
  for (const [key, value] of Object.entries(map.data ?? {})) {
    const here = path('data').key(key)
    say(errors, here, key, configKey(key))
    if (map.binaryData?.[key] !== undefined) errors.push(invalidValue(here, key, 'duplicate of key present in binaryData'))
    bytes += Buffer.byteLength(value)
  }
  for (const [key, value] of Object.entries(map.binaryData ?? {})) {
    say(errors, path('binaryData').key(key), key, configKey(key))
    bytes += decodedLength(value)
  }
  if (bytes > dataBytesMax) errors.push(tooLong(path('[]'), dataBytesMax))
  return errors
}

function sealed(errors: Errors, next: Readonly<ConfigMap | Secret>, prev: Readonly<ConfigMap | Secret>, ...fields: readonly ('data' | 'binaryData')[]): void {
  if (prev.immutable !== true) return
  const sentence = 'field is immutable when `immutable` is set'
  if (next.immutable !== true) errors.push(forbiddenField(path('immutable'), sentence))
  const of = (object: Readonly<ConfigMap & Secret>, field: 'data' | 'binaryData'): unknown => object[field] ?? null
  for (const field of fields) if (!equalJson(of(next as ConfigMap, field), of(prev as ConfigMap, field))) errors.push(forbiddenField(path(field), sentence))
}

export const configMapStrategy: Strategy<ConfigMap> = {
  validateCreate: validateMap,
  validateUpdate(next, prev) {
    const errors: Errors = []
    sealed(errors, next, prev, 'data', 'binaryData')
    return [...errors, ...validateMap(next)]
  },
}

function validateSecret(secret: Readonly<Secret>): Errors {
  const errors: Errors = []
  const at = path('data')
  let bytes = 0
  for (const [key, value] of Object.entries(secret.data ?? {})) {
    say(errors, at.key(key), key, configKey(key))
    bytes += decodedLength(value)
  }
  if (bytes > dataBytesMax) errors.push(tooLong(at, dataBytesMax))
  typed(errors, secret)
  return errors
}

function typed(errors: Errors, secret: Readonly<Secret>): void {
  const at = path('data')
  const has = (key: string): boolean => secret.data?.[key] !== undefined
  const needs = (...keys: readonly string[]): void => keys.forEach((key) => has(key) || errors.push(required(at.key(key))))
  switch (secret.type) {
    case 'kubernetes.io/service-account-token': {
      const name = 'kubernetes.io/service-account.name'
      if ((secret.metadata.annotations?.[name] ?? '') === '') errors.push(required(path('metadata', 'annotations').key(name)))
      break
    }
    case 'kubernetes.io/dockercfg':
      needs('.dockercfg')
      jsonObject(errors, secret, '.dockercfg')
      break
    case 'kubernetes.io/dockerconfigjson':
      needs('.dockerconfigjson')
      jsonObject(errors, secret, '.dockerconfigjson')
      break
    case 'kubernetes.io/basic-auth':
      if (!has('username') && !has('password')) needs('username', 'password')
      break
    case 'kubernetes.io/ssh-auth':
      if ((secret.data?.['ssh-privatekey'] ?? '') === '') errors.push(required(at.key('ssh-privatekey')))
      break
    case 'kubernetes.io/tls':
      needs('tls.crt', 'tls.key')
      break
    default:
  }
}

/** Go's parser words its complaints about what stands where; ours say what is known here. */
function jsonObject(errors: Errors, secret: Readonly<Secret>, key: string): void {
  const encoded = secret.data?.[key]
  if (encoded === undefined) return
  const wrong = (why: string): void => void errors.push(invalidValue(path('data').key(key), '<secret contents redacted>', why))
  const text = Buffer.from(encoded, 'base64').toString()
  if (text.trim() === '') {
    wrong('unexpected end of JSON input')
    return
  }
  try {
    const value: unknown = JSON.parse(text)
    if (value === null || (typeof value === 'object' && !Array.isArray(value))) return
    wrong(`json: cannot unmarshal ${Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value} into Go value of type map[string]interface {}`)
  } catch {
    const first = text.trimStart()[0] ?? ''
    wrong(/[{["\d\-tfn]/.test(first) ? 'unexpected end of JSON input' : `invalid character '${first}' looking for beginning of value`)
  }
}

export const secretStrategy: Strategy<Secret> = {
  prepareUpdate(next, prev) {
    if ((next.type ?? '') === '' && prev.type !== undefined) next.type = prev.type
  },
  validateCreate: validateSecret,
  validateUpdate(next, prev) {
    const errors: Errors = []
    immutable(errors, next.type ?? '', prev.type ?? '', path('type'))
    sealed(errors, next, prev, 'data')
    return [...errors, ...validateSecret(next)]
  },
  warnings({ type, data }) {
    const wrong = type === 'kubernetes.io/tls' ? keyPairWarning(data?.['tls.crt'], data?.['tls.key']) : undefined
    return wrong === undefined ? [] : [wrong]
  },
}
