/** Where the reader is, as the part of the address behind #: which view, of what, in which namespace. */
import type { Resource } from './logic/resources.ts'

export interface Place {
  /** Decoded; ['list', 'apps', 'v1', 'deployments']. */
  readonly parts: readonly string[]
  readonly query: Readonly<Record<string, string>>
}

export function parsePlace(hash: string): Place {
  const [path = '', query = ''] = hash.replace(/^#/, '').split('?')
  return { parts: path.split('/').filter((part) => part !== '').map(decode), query: Object.fromEntries(new URLSearchParams(query)) }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** Empty values of the query are left out. */
export function placeText({ parts, query }: Place): string {
  const params = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== ''))
  const tail = params.size === 0 ? '' : `?${params.toString()}`
  return `#/${parts.map(encodeURIComponent).join('/')}${tail}`
}

const core = 'core'
/** Stands for "no namespace". */
const none = '-'

/** A group is never called core. */
export function groupPart(group: string): string {
  return group === '' ? core : group
}

export function groupOf(part: string): string {
  return part === core ? '' : part
}

export function listPlace({ group, version, resource }: Resource, namespace: string, query: Place['query'] = {}): string {
  return placeText({ parts: ['list', groupPart(group), version, resource], query: { ...query, ns: namespace } })
}

export interface Reference {
  readonly namespace: string
  readonly name: string
}

export function objectPlace({ group, version, resource }: Resource, { namespace, name }: Reference, chosen: string, tab = ''): string {
  return placeText({ parts: ['object', groupPart(group), version, resource, namespace === '' ? none : namespace, name], query: { tab, ns: chosen } })
}

export function referenceOf(parts: readonly string[]): Reference {
  const [, , , , namespace = none, name = ''] = parts
  return { namespace: namespace === none ? '' : namespace, name }
}
