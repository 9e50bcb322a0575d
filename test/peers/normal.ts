/**
 * Answers without what chance and time put into them: uids, times, versions, addresses, values that an earlier answer
 * gave. What is left must be the same from both servers, or golden.
 */
import type { Answer } from './send.ts'

const uid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g
const time = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g
const goTime = /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? [+-]\d{4} UTC/g
const serviceAddress = /\b10\.(43|96)\.\d+\.\d+\b/g
const fingerprint = /X509SHA256=[0-9a-f]{64}/g
/** Versions inside sentences and inside documents that are quoted in sentences. */
const quotedVersion = /(\\"resourceVersion\\":\\"|"resourceVersion":"|resourceVersion:|ResourceVersion in precondition: |ResourceVersion in object meta: |ResourceVersion in record: |ResourceVersion in the precondition \(|ResourceVersion in record \()\d+/g
/** `Up_x7k2p`: what is generated stands in errors, too. */
const generatedName = /\b(Up_|gen-)[a-z0-9]{5}\b/g
const tokenVolume = /kube-api-access-[a-z0-9]{5}\b/g
const nodePort = /:3[0-2]\d{3}\//g
const ownAddress = /127\.0\.0\.1:\d+/g
/** The patched object inside a sentence: the order of its fields follows how much of it Go had decoded. */
const patchedDocument = /Invalid value: "\{(?:\\.|[^"\\])*"/g
/** What was made just now may be a few seconds old by the time it is shown. */
const youngAge = /^\ds$/
const jwt = /eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+/g

/** Fields whose value is chance, by name wherever they are. */
const chance: Readonly<Record<string, string>> = {
  resourceVersion: '<version>', nodePort: '<nodePort>', healthCheckNodePort: '<nodePort>', continue: '<continue>',
}

/** Descriptions of columns are prose that no client shows; ours are empty. */
interface Table {
  readonly columnDefinitions: readonly { readonly description: string }[]
}

export function normalAnswer(answer: Answer, values: ReadonlyMap<string, string>): Answer {
  // Longest first, so that no value hides inside another; short numbers would be found everywhere.
  const known = [...values].filter(([, value]) => value.length > 5).toSorted((a, b) => b[1].length - a[1].length)
  const text = (from: string): string => {
    let to = from
    for (const [name, value] of known) to = to.replaceAll(value, `<${name}>`)
    to = to.replaceAll(tokenVolume, 'kube-api-access-<random>').replaceAll(nodePort, ':<nodePort>/')
    to = to.replaceAll(quotedVersion, '$1<version>').replaceAll(generatedName, '$1<random>').replaceAll(fingerprint, '<fingerprint>')
    to = to.replaceAll(patchedDocument, 'Invalid value: <document>')
    to = to.replaceAll(ownAddress, '<server>')
    return to.replaceAll(jwt, '<token>').replaceAll(uid, '<uid>').replaceAll(time, '<time>').replaceAll(goTime, '<time>').replaceAll(serviceAddress, '<address>')
  }
  const walk = (value: unknown, name: string): unknown => {
    const fixed = chance[name]
    if (fixed !== undefined && (typeof value === 'string' || typeof value === 'number') && value !== '') return fixed
    if (typeof value === 'string') return name === 'cells' && youngAge.test(value) ? '0s' : text(value)
    if (Array.isArray(value)) return value.map((each) => walk(each, name))
    if (typeof value !== 'object' || value === null) return value
    if ('columnDefinitions' in value && Array.isArray(value.columnDefinitions)) return walkTable(value as Table)
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, key === 'name' ? generated(value, walk(inner, key)) : walk(inner, key)]))
  }
  const walkTable = ({ columnDefinitions, ...rest }: Table): unknown => ({ columnDefinitions: columnDefinitions.map((column) => ({ ...column, description: '' })), ...(walk(rest, '') as object) })
  const headers = Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, text(value)]))
  return { code: answer.code, headers, body: walk(answer.body, '') }
}

/** `web-x7k2p` -> `web-<random>` where the object says that it was generated. */
function generated(object: object, name: unknown): unknown {
  const prefix = 'generateName' in object && typeof object.generateName === 'string' ? object.generateName : undefined
  return prefix !== undefined && typeof name === 'string' && name.startsWith(prefix) ? `${prefix}<random>` : name
}

export interface Difference {
  readonly path: string
  readonly want: unknown
  readonly have: unknown
}

/** Lists of discovery are compared by name: one side may serve more than the other. */
function keyed(value: object): object {
  if (!Array.isArray(value) || value.length === 0) return value
  const names = value.map((each: unknown) => (typeof each === 'object' && each !== null ? discoveryName(each as Record<string, unknown>) : undefined))
  return names.every((name) => name !== undefined) && new Set(names).size === names.length ? Object.fromEntries(value.map((each: unknown, i) => [`[${names[i]}]`, each])) : value
}

function discoveryName(of: Record<string, unknown>): string | undefined {
  const name = of['verbs'] !== undefined ? (of['name'] ?? of['resource'] ?? of['subresource']) : of['versions'] !== undefined ? (of['name'] ?? (of['metadata'] as { name?: unknown } | undefined)?.name ?? 'core') : of['resources'] !== undefined ? of['version'] : undefined
  return typeof name === 'string' ? name : undefined
}

/** Where two JSON values differ; the order of an object's fields does not count, that of a list does. */
export function differences(want: unknown, have: unknown, path = ''): readonly Difference[] {
  if (Object.is(want, have)) return []
  if (typeof want === 'object' && typeof have === 'object' && want !== null && have !== null && Array.isArray(want) === Array.isArray(have)) {
    const [left, right] = [keyed(want), keyed(have)]
    const names = new Set([...Object.keys(left), ...Object.keys(right)])
    const of = (value: object, name: string): unknown => (value as Record<string, unknown>)[name]
    return [...names].flatMap((name) => differences(of(left, name), of(right, name), path === '' ? name : `${path}.${name}`))
  }
  return [{ path, want, have }]
}
