/** What every view may know: who is signed in, what the server serves, the chosen namespace, the time. Hooks over it and over streams. */
import { createContext } from 'preact'
import { useContext, useEffect, useMemo, useState } from 'preact/hooks'
import type { KubeObject } from '../core/api/meta.ts'
import { objectShape, rowShape } from './logic/fold.ts'
import { apiPath, type Resource } from './logic/resources.ts'
import type { Row } from './logic/table.ts'
import { parsePlace, type Place } from './router.ts'
import { follow, objectSource, tableSource, type Live, type Source } from './stream.ts'

export interface Me {
  readonly name: string
  readonly groups: readonly string[]
}

export interface World {
  readonly me: Me
  readonly resources: readonly Resource[]
  /** '' is all of them. */
  readonly namespace: string
  readonly place: Place
}

export const WorldContext = createContext<World | undefined>(undefined)

export function useWorld(): World {
  const world = useContext(WorldContext)
  if (world === undefined) throw new Error('outside of the app')
  return world
}

/** A resource by GROUP/RESOURCE, where the server serves it. */
export function useResource(key: string): Resource | undefined {
  const { resources } = useWorld()
  return useMemo(() => resources.find((of) => `${of.group}/${of.resource}` === key), [resources, key])
}

const nothing: Live<never> = { items: undefined, trouble: undefined, columns: [] }
const objects = objectSource(objectShape)
const tables = tableSource(rowShape)

interface Wanted {
  /** '' is all namespaces. */
  readonly namespace: string
  readonly fieldSelector?: string
}

function useStream<T>(resource: Resource | undefined, wanted: Wanted, source: Source<T>): Live<T> {
  const path = resource === undefined ? undefined : apiPath(resource, wanted.namespace)
  const selector = wanted.fieldSelector ?? ''
  const key = `${path} ${selector}`
  const [state, setState] = useState<{ readonly key: string; readonly live: Live<T> }>({ key, live: nothing })
  useEffect(() => {
    if (path === undefined) return undefined
    const life = new AbortController()
    const show = gathered((live: Live<T>) => setState({ key, live }))
    void follow(path, selector === '' ? {} : { fieldSelector: selector }, source, life.signal, show)
    return () => life.abort()
  }, [key])
  // What was seen of another collection is nothing of this one.
  return state.key === key ? state.live : nothing
}

/** Only the latest of what comes within one frame is shown. */
function gathered<T>(show: (value: T) => void): (value: T) => void {
  let waiting: { readonly value: T } | undefined
  return (value) => {
    const isFirst = waiting === undefined
    waiting = { value }
    if (!isFirst) return
    setTimeout(() => {
      const latest = waiting
      waiting = undefined
      if (latest !== undefined) show(latest.value)
    }, frameMs)
  }
}

const frameMs = 50

/** Objects of a resource, live; nothing while it is undefined. */
export function useObjects<T extends KubeObject>(resource: Resource | undefined, wanted: Wanted): Live<T> {
  return useStream(resource, wanted, objects as unknown as Source<T>)
}

export function useTable(resource: Resource | undefined, wanted: Wanted): Live<Row> {
  return useStream(resource, wanted, tables)
}

const tickMs = 1_000

/** The time, once a second: ages go on while nothing happens. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), tickMs)
    return () => clearInterval(timer)
  }, [])
  return now
}

export function usePlace(): Place {
  const [place, setPlace] = useState(parsePlace(location.hash))
  useEffect(() => {
    const moved = (): void => setPlace(parsePlace(location.hash))
    addEventListener('hashchange', moved)
    return () => removeEventListener('hashchange', moved)
  }, [])
  return place
}
