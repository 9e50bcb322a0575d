/** How options of the client become query parameters and paths: the same for calls in process and over TLS. */
import type { KindRef } from '../api/kind.ts'
import type { ListOptions, PatchOptions, PatchType, WatchOptions, WriteOptions } from './client.ts'

export type Query = Record<string, string>

export const patchTypes: Readonly<Record<PatchType, string>> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
}

export function listQuery(options: ListOptions = {}): Query {
  return textOf({
    labelSelector: options.labelSelector,
    fieldSelector: options.fieldSelector,
    limit: options.limit,
    continue: options.continue,
    resourceVersion: options.resourceVersion,
    resourceVersionMatch: options.resourceVersionMatch,
  })
}

export function watchQuery(options: WatchOptions = {}): Query {
  return textOf({
    labelSelector: options.labelSelector,
    fieldSelector: options.fieldSelector,
    resourceVersion: options.resourceVersion,
    allowWatchBookmarks: options.allowBookmarks,
    sendInitialEvents: options.sendInitialEvents,
    resourceVersionMatch: options.sendInitialEvents === true ? 'NotOlderThan' : undefined,
    timeoutSeconds: options.timeoutS,
  })
}

export function writeQuery(options: WriteOptions & PatchOptions = {}): Query {
  return textOf({ dryRun: options.dryRun === true ? 'All' : undefined, fieldManager: options.fieldManager, force: options.force })
}

function textOf(values: Readonly<Record<string, string | number | boolean | undefined>>): Query {
  const query: Query = {}
  for (const [name, value] of Object.entries(values)) if (value !== undefined && value !== '' && value !== false) query[name] = String(value)
  return query
}

export function withoutEmpty(query: Readonly<Query>): Query {
  return textOf(query)
}

/** `/apis/apps/v1/namespaces/default/deployments/web/status` */
export function pathOf(kind: KindRef, at: { readonly namespace?: string; readonly name?: string; readonly subresource?: string }, query: Query = {}): string {
  const root = kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`
  const parts = [root]
  if (kind.namespaced && at.namespace !== undefined && at.namespace !== '') parts.push('namespaces', encodeURIComponent(at.namespace))
  parts.push(encodeURIComponent(kind.plural))
  if (at.name !== undefined && at.name !== '') parts.push(encodeURIComponent(at.name))
  if (at.subresource !== undefined && at.subresource !== '') parts.push(...at.subresource.split('/').map(encodeURIComponent))
  const search = new URLSearchParams(query).toString()
  return search === '' ? parts.join('/') : `${parts.join('/')}?${search}`
}
