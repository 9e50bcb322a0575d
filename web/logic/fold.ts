/** A collection as a watch tells it: what came last, by uid. Pure; the stream is stream.ts. */
import type { KubeObject } from '../../core/api/meta.ts'
import type { Row } from './table.ts'

export interface WatchEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  readonly object: T
}

/** Something of a collection, with where it says who it is. */
export interface Shape<T> {
  readonly uid: (item: T) => string
  readonly version: (item: T) => string | undefined
}

export const objectShape: Shape<KubeObject> = {
  uid: ({ metadata }) => metadata.uid ?? `${metadata.namespace ?? ''}/${metadata.name ?? ''}`,
  version: ({ metadata }) => metadata.resourceVersion,
}

export const rowShape: Shape<Row> = {
  uid: ({ object: { metadata } }) => metadata.uid ?? `${metadata.namespace ?? ''}/${metadata.name ?? ''}`,
  version: ({ object }) => object.metadata.resourceVersion,
}

export interface Held<T> {
  readonly items: ReadonlyMap<string, T>
  /** Where a watch goes on. */
  readonly version: string
}

export function held<T>(shape: Shape<T>, items: readonly T[], version: string): Held<T> {
  return { items: new Map(items.map((item) => [shape.uid(item), item])), version }
}

/** A new value; the old one stays as it is, so that a view can tell that something changed. ERROR events are not for here. */
export function fold<T>(shape: Shape<T>, before: Held<T>, events: readonly WatchEvent<T>[]): Held<T> {
  const items = new Map(before.items)
  let { version } = before
  for (const { type, object } of events) {
    version = shape.version(object) ?? version
    if (type === 'DELETED') items.delete(shape.uid(object))
    else if (type === 'ADDED' || type === 'MODIFIED') items.set(shape.uid(object), object)
  }
  return { items, version }
}
