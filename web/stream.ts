/**
 * A collection that stays up to date: list, then watch from there, and again from the list when the server says that
 * too much has happened in between. Ends with its signal; troubles are told, and tried again more and more slowly.
 */
import { backoffMs } from '../core/lib/backoff.ts'
import { ask, askJson, lineBatches, Refused, tableType } from './api.ts'
import { fold, held, type Held, type Shape, type WatchEvent } from './logic/fold.ts'
import type { Column, Row, Table } from './logic/table.ts'

export interface Live<T> {
  /** undefined until the first list is there. */
  readonly items: readonly T[] | undefined
  /** Why nothing comes, or nothing more. */
  readonly trouble: Refused | undefined
  /** Of Tables. */
  readonly columns: readonly Column[]
}

/** Where a list and its items are found in what the server sends. */
export interface Source<T> {
  readonly shape: Shape<T>
  readonly accept: string
  list(document: unknown): { readonly items: readonly T[]; readonly version: string; readonly columns?: readonly Column[] }
  items(event: WatchEvent<unknown>): readonly WatchEvent<T>[]
}

export function objectSource<T>(shape: Shape<T>): Source<T> {
  return {
    shape,
    accept: 'application/json',
    list(document) {
      const { items, metadata, apiVersion, kind } = document as { items?: readonly T[]; metadata?: { resourceVersion?: string }; apiVersion?: string; kind?: string }
      // Items of a list do not say what they are; the list does.
      const named = (items ?? []).map((item) => ({ apiVersion, kind: kind?.replace(/List$/, ''), ...item }))
      return { items: named, version: metadata?.resourceVersion ?? '' }
    },
    items: (event) => [event as WatchEvent<T>],
  }
}

export function tableSource(shape: Shape<Row>): Source<Row> {
  return {
    shape,
    accept: tableType,
    list(document) {
      const { rows, columnDefinitions, metadata } = document as Table
      return { items: rows ?? [], version: metadata?.resourceVersion ?? '', columns: columnDefinitions ?? [] }
    },
    items: ({ type, object }) => ((object as Table).rows ?? []).map((row) => ({ type, object: row })),
  }
}

const retry = { firstMs: 500, maxMs: 20_000 }
/** A watch that the server ended at once is not asked for again at once. */
const quickMs = 1_000

/** Reports until the signal is aborted. Never rejects. */
export async function follow<T>(path: string, query: Readonly<Record<string, string>>, source: Source<T>, signal: AbortSignal, report: (live: Live<T>) => void): Promise<void> {
  let now: Held<T> | undefined
  let columns: readonly Column[] = []
  let failures = 0
  const tell = (trouble?: Refused): void => {
    if (!signal.aborted) report({ items: now === undefined ? undefined : [...now.items.values()], trouble, columns })
  }
  const url = (more: Readonly<Record<string, string>>): string => `${path}?${new URLSearchParams({ ...query, ...more }).toString()}`
  const relist = async (): Promise<Held<T>> => {
    const found = source.list(await askJson(url({}), { accept: source.accept, signal }))
    columns = found.columns ?? []
    return held(source.shape, found.items, found.version)
  }
  while (!signal.aborted) {
    const began = Date.now()
    try {
      if (now === undefined) now = await relist()
      tell()
      const response = await ask(url({ watch: 'true', resourceVersion: now.version, allowWatchBookmarks: 'true' }), { accept: source.accept, signal })
      for await (const lines of lineBatches(response)) {
        now = foldLines(source, now, lines)
        failures = 0
        tell()
      }
      if (Date.now() - began < quickMs) await pause(backoffMs(retry, failures++), signal)
    } catch (error) {
      if (signal.aborted) return
      const trouble = error instanceof Refused ? error : new Refused(0, 'The connection broke.')
      if (trouble.code === 410) now = undefined
      else if (trouble.code !== 0 || failures > 0) tell(trouble) // a connection that broke is mostly mended at once
      await pause(backoffMs(retry, trouble.code === 410 && failures === 0 ? 0 : ++failures), signal)
    }
  }
}

/** Throws Refused for an ERROR event. */
function foldLines<T>(source: Source<T>, now: Held<T>, lines: readonly string[]): Held<T> {
  const events = lines.flatMap((line) => {
    const event = JSON.parse(line) as WatchEvent<unknown>
    if (event.type === 'ERROR') {
      const { code = 500, message = 'the watch ended' } = event.object as { code?: number; message?: string }
      throw new Refused(code, message)
    }
    return source.items(event)
  })
  return fold(source.shape, now, events)
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', wake)
      resolve()
    }
    const timer = setTimeout(wake, ms)
    signal.addEventListener('abort', wake, { once: true })
  })
}
