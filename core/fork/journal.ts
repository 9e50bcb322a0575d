/**
 * What happens in a fork: what there is now, every change in its order with its virtual time, and when the last one was
 * that meant anything: signs of life and events mean nothing. Decides nothing.
 */
import type { KubeObject } from '../api/meta.ts'
import type { Clock } from '../lib/clock.ts'
import type { Ctx } from '../lib/ctx.ts'
import { equalJson } from '../lib/json.ts'
import type { Change, Store } from '../store/store.ts'

export interface Happening {
  readonly atMs: number
  /** `pods`, `apps/deployments`. */
  readonly prefix: string
  /** namespace/name. */
  readonly key: string
  readonly type: 'added' | 'changed' | 'deleted'
  /** As it is then; of what was deleted, as it was last. */
  readonly object: Readonly<KubeObject>
  readonly prev: Readonly<KubeObject> | undefined
}

/** Prefix -> namespace/name -> object. */
export type World = ReadonlyMap<string, ReadonlyMap<string, Readonly<KubeObject>>>

const restless: ReadonlySet<string> = new Set(['events', 'coordination.k8s.io/leases'])
const decoder = new TextDecoder()

export class Journal {
  /** Changes since the beginning. */
  count = 0
  /** Virtual time of the last change that meant anything. */
  lastMs = 0
  readonly happenings: Happening[] = []
  readonly #objects = new Map<string, Map<string, Readonly<KubeObject>>>()
  readonly #clock: Clock

  static async open(ctx: Ctx, store: Store): Promise<Journal> {
    const journal = new Journal(ctx.clock)
    const { entries, revision } = await store.range(ctx, '')
    for (const { key, value } of entries) {
      const at = placeOf(key)
      if (at !== undefined) journal.#of(at.prefix).set(at.key, parse(value))
    }
    store.watch('', revision, { changes: (changes) => changes.forEach((change) => journal.#take(change)), end: () => {} })
    return journal
  }

  private constructor(clock: Clock) {
    this.#clock = clock
    this.lastMs = clock.monotonic()
  }

  /** As it is now; it stays as it is. */
  world(): World {
    return new Map([...this.#objects].map(([prefix, objects]) => [prefix, new Map(objects)]))
  }

  #of(prefix: string): Map<string, Readonly<KubeObject>> {
    let found = this.#objects.get(prefix)
    if (found === undefined) this.#objects.set(prefix, (found = new Map<string, Readonly<KubeObject>>()))
    return found
  }

  #take(change: Change): void {
    this.count++
    const at = placeOf(change.key)
    if (at === undefined || at.prefix === 'coordination.k8s.io/leases') return
    const objects = this.#of(at.prefix)
    const prev = objects.get(at.key)
    const object = parse(change.value)
    if (change.type === 'put') objects.set(at.key, object)
    else objects.delete(at.key)
    if (!restless.has(at.prefix) && !isHeartbeat(at.prefix, object, prev)) this.lastMs = this.#clock.monotonic()
    this.happenings.push({ atMs: this.#clock.monotonic(), ...at, type: change.type === 'delete' ? 'deleted' : prev === undefined ? 'added' : 'changed', object, prev })
  }
}

/** A node that says again what it said: only times differ. */
function isHeartbeat(prefix: string, object: Readonly<KubeObject>, prev: Readonly<KubeObject> | undefined): boolean {
  if (prefix !== 'nodes' || prev === undefined) return false
  const brief = (node: Readonly<KubeObject>): unknown => {
    const { spec, status } = node as { readonly spec?: unknown; readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] } }
    return [spec, node.metadata.labels, (status?.conditions ?? []).map((condition) => [condition.type, condition.status])]
  }
  return equalJson(brief(object), brief(prev))
}

function parse(value: Uint8Array): Readonly<KubeObject> {
  return JSON.parse(decoder.decode(value)) as Readonly<KubeObject>
}

/** `apps/deployments/default/web` lies under `apps/deployments` at `default/web`; what is the store's own nowhere. */
function placeOf(key: string): { readonly prefix: string; readonly key: string } | undefined {
  const name = key.lastIndexOf('/')
  const middle = name <= 0 ? -1 : key.lastIndexOf('/', name - 1)
  return middle < 0 ? undefined : { prefix: key.slice(0, middle), key: key.slice(middle + 1) }
}
