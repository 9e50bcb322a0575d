/**
 * Environment of containers: names, and where values come from
 * (k8s.io/kubernetes/pkg/apis/core/validation/validation.go, pkg/apis/core/pods/helpers.go).
 */
import { label, needsText, qualified, say, type Errors } from '../../checks.ts'
import { invalidValue, notSupported, required, type Path } from '../../field.ts'
import { configKey, dns1123Subdomain, envName, nameRule } from '../../names.ts'
import type * as k from '../../schema/types.ts'
import { noBacksteps } from './paths.ts'

const envFields = [
  'metadata.name', 'metadata.namespace', 'metadata.uid', 'spec.nodeName', 'spec.serviceAccountName', 'status.hostIP', 'status.hostIPs', 'status.podIP', 'status.podIPs',
]

export function validateEnv(errors: Errors, env: readonly Readonly<k.EnvVar>[], at: Path): void {
  env.forEach((entry, i) => {
    const here = at.index(i)
    if (entry.name === '') errors.push(required(here.child('name')))
    else say(errors, here.child('name'), entry.name, envName(entry.name))
    if (entry.valueFrom !== undefined) valueFrom(errors, entry, entry.valueFrom, here.child('valueFrom'))
  })
}

function valueFrom(errors: Errors, entry: Readonly<k.EnvVar>, from: Readonly<k.EnvVarSource>, at: Path): void {
  if (from.fieldRef !== undefined) fieldSelector(errors, from.fieldRef, envFields, at.child('fieldRef'))
  if (from.resourceFieldRef !== undefined) resourceSelector(errors, from.resourceFieldRef, at.child('resourceFieldRef'), false)
  if (from.configMapKeyRef !== undefined) keySelector(errors, from.configMapKeyRef, at.child('configMapKeyRef'))
  if (from.secretKeyRef !== undefined) keySelector(errors, from.secretKeyRef, at.child('secretKeyRef'))
  if (from.fileKeyRef !== undefined) fileSelector(errors, from.fileKeyRef, at.child('fileKeyRef'))
  const count = Object.keys(from).length
  if (count === 0) errors.push(invalidValue(at, '', 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`'))
  else if ((entry.value ?? '') !== '') errors.push(invalidValue(at, '', 'may not be specified when `value` is not empty'))
  else if (count > 1) errors.push(invalidValue(at, '', 'may not have more than one field specified at a time'))
}

/** Fields of pods that the downward API knows; the rest cannot even be converted. */
const knownFields = new Set([...envFields, 'metadata.annotations', 'metadata.labels', 'spec.restartPolicy', 'spec.schedulerName', 'status.phase'])

export function fieldSelector(errors: Errors, selector: Readonly<k.ObjectFieldSelector>, allowed: readonly string[], at: Path): void {
  const text = selector.fieldPath
  if ((selector.apiVersion ?? '') === '') errors.push(required(at.child('apiVersion')))
  else if (text === '') errors.push(required(at.child('fieldPath')))
  else if (selector.apiVersion !== 'v1') {
    errors.push(invalidValue(at.child('fieldPath'), text, `error converting fieldPath: unsupported pod version: ${selector.apiVersion}`))
  } else {
    const [, base = '', key] = /^([^[]*)\['([^']*)'\]$/.exec(text) ?? [undefined, text, undefined]
    knownField(errors, text, base, key, allowed, at)
  }
}

function knownField(errors: Errors, text: string, base: string, key: string | undefined, allowed: readonly string[], at: Path): void {
  if (key !== undefined && base !== 'metadata.annotations' && base !== 'metadata.labels') {
    errors.push(invalidValue(at.child('fieldPath'), text, `error converting fieldPath: field label does not support subscript: ${text}`))
  } else if (key !== undefined) {
    qualified(errors, base === 'metadata.annotations' ? key.toLowerCase() : key, at)
  } else if (!knownFields.has(base)) {
    errors.push(invalidValue(at.child('fieldPath'), text, `error converting fieldPath: field label not supported: ${text}`))
  } else if (!allowed.includes(base)) {
    errors.push(notSupported(at.child('fieldPath'), base, allowed))
  }
}

const resourceFields = ['limits.cpu', 'limits.ephemeral-storage', 'limits.memory', 'requests.cpu', 'requests.ephemeral-storage', 'requests.memory']
const byteDivisors = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei']

export function resourceSelector(errors: Errors, selector: Readonly<k.ResourceFieldSelector>, at: Path, volume: boolean): void {
  const name = selector.resource
  const huge = name.startsWith('requests.hugepages-') || name.startsWith('limits.hugepages-')
  if (volume && (selector.containerName ?? '') === '') errors.push(required(at.child('containerName')))
  else if (name === '') errors.push(required(at.child('resource')))
  else if (!resourceFields.includes(name) && !huge) errors.push(notSupported(at.child('resource'), name, resourceFields))
  const divisor = selector.divisor ?? '0'
  if (divisor === '0') return
  if (name.endsWith('.cpu')) {
    if (divisor !== '1m' && divisor !== '1') errors.push(invalidValue(at.child('divisor'), name, "only divisor's values 1m and 1 are supported with the cpu resource"))
    return
  }
  const what = name.endsWith('.memory') ? 'memory' : name.endsWith('.ephemeral-storage') ? 'local ephemeral storage' : huge ? 'hugepages' : ''
  if (what !== '' && !byteDivisors.includes(divisor)) {
    errors.push(invalidValue(at.child('divisor'), name, `only divisor's values ${byteDivisors.join(', ')} are supported with the ${what} resource`))
  }
}

function keySelector(errors: Errors, selector: Readonly<k.ConfigMapKeySelector>, at: Path): void {
  say(errors, at.child('name'), selector.name ?? '', dns1123Subdomain(selector.name ?? ''))
  if (selector.key === '') errors.push(required(at.child('key')))
  else say(errors, at.child('key'), selector.key, configKey(selector.key))
}

function fileSelector(errors: Errors, selector: Readonly<k.FileKeySelector>, at: Path): void {
  if (selector.key === '') errors.push(required(at.child('key')))
  else say(errors, at.child('key'), selector.key, envName(selector.key))
  if (selector.volumeName === '') errors.push(required(at.child('volumeName')))
  else label(errors, selector.volumeName, at.child('volumeName'))
  needsText(errors, selector.path, at.child('path'))
  if (selector.path !== '') noBacksteps(errors, selector.path, at.child('path'))
}

const sourceName = nameRule(dns1123Subdomain)

export function validateEnvFrom(errors: Errors, sources: readonly Readonly<k.EnvFromSource>[], at: Path): void {
  sources.forEach((source, i) => {
    const here = at.index(i)
    if ((source.prefix ?? '') !== '') say(errors, here.child('prefix'), source.prefix, envName(source.prefix ?? ''))
    for (const field of ['configMapRef', 'secretRef'] as const) {
      const ref = source[field]
      if (ref === undefined) continue
      const name = ref.name ?? ''
      if (name === '') errors.push(required(here.child(field, 'name')))
      else say(errors, here.child(field, 'name'), name, sourceName(name, true))
    }
    if (source.configMapRef === undefined && source.secretRef === undefined) errors.push(invalidValue(at, '', 'must specify one of: `configMapRef` or `secretRef`'))
    else if (source.configMapRef !== undefined && source.secretRef !== undefined) errors.push(invalidValue(at, '', 'may not have more than one field specified at a time'))
  })
}
