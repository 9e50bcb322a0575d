/**
 * What has happened: every change of the store in its order, as objects, and what there is now. A hash over all of it
 * tells whether two runs were the same. Invariants are told of each change in the moment of its commit.
 */
import { createHash } from 'node:crypto'
import type { KubeObject } from '../../core/api/meta.ts'
import type { Clock } from '../../core/lib/clock.ts'
import type { Change, Store } from '../../core/store/store.ts'

export interface Happened {
  readonly revision: number
  /** Virtual milliseconds since the beginning. */
  readonly atMs: number
  /** `pods`, `apps/deployments`. */
  readonly prefix: string
  /** namespace/name. */
  readonly key: string
  readonly type: 'added' | 'changed' | 'deleted'
  /** As it is now; of what was deleted, as it was last. */
  readonly object: Readonly<KubeObject>
  readonly prev: Readonly<KubeObject> | undefined
}

/** Heartbeats and reports, which go on in a cluster where nothing happens. */
const restless: ReadonlySet<string> = new Set(['events', 'coordination.k8s.io/leases'])
const decoder = new TextDecoder()

export class History {
  /** How many changes there were. */
  count = 0
  /** Revision and time of the last change that was more than a heartbeat. */
  lastMs = 0
  readonly #hash = createHash('sha256')
  readonly #objects = new Map<string, Map<string, Readonly<KubeObject>>>()
  readonly #clock: Clock
  readonly #tell: (happened: Happened) => void

  constructor(clock: Clock, tell: (happened: Happened) => void) {
    this.#clock = clock
    this.#tell = tell
  }

  /** Begins with what there is, without telling of it. */
  async open(store: Store, ctx: Parameters<Store['range']>[0]): Promise<void> {
    const { entries, revision } = await store.range(ctx, '')
    for (const { key, value } of entries) {
      const at = placeOf(key)
      if (at !== undefined) this.#of(at.prefix).set(at.key, base(value))
    }
    store.watch('', revision, { changes: (changes) => changes.forEach((change) => this.#take(change)), end: () => {} })
  }

  /** Everything of a kind, by namespace/name. */
  all<T extends KubeObject>(prefix: string): ReadonlyMap<string, Readonly<T>> {
    return this.#of(prefix) as unknown as ReadonlyMap<string, Readonly<T>>
  }

  prefixes(): Iterable<string> {
    return this.#objects.keys()
  }

  digest(): string {
    return this.#hash.copy().digest('hex').slice(0, 16)
  }

  #of(prefix: string): Map<string, Readonly<KubeObject>> {
    let found = this.#objects.get(prefix)
    if (found === undefined) this.#objects.set(prefix, (found = new Map<string, Readonly<KubeObject>>()))
    return found
  }

  #take(change: Change): void {
    this.count++
    this.#hash.update(`${change.type} ${change.revision} ${change.time} ${change.key}\n`).update(change.value)
    const at = placeOf(change.key)
    if (at === undefined) return
    const objects = this.#of(at.prefix)
    const prev = objects.get(at.key)
    const object = parse(change.value)
    if (change.type === 'put') objects.set(at.key, object)
    else objects.delete(at.key)
    if (!restless.has(at.prefix)) this.lastMs = this.#clock.monotonic()
    this.#tell({ revision: change.revision, atMs: this.#clock.monotonic(), ...at, type: change.type === 'delete' ? 'deleted' : prev === undefined ? 'added' : 'changed', object, prev })
  }
}

function parse(value: Uint8Array): Readonly<KubeObject> {
  return JSON.parse(decoder.decode(value)) as Readonly<KubeObject>
}

/** What a run begins with is the same for many, and read once: nobody changes it. */
const read = new WeakMap<Uint8Array, Readonly<KubeObject>>()

function base(value: Uint8Array): Readonly<KubeObject> {
  let object = read.get(value)
  if (object === undefined) read.set(value, (object = parse(value)))
  return object
}

/** `apps/deployments/default/web` lies under `apps/deployments` at `default/web`; what is the store's own (`pulse`) nowhere. */
function placeOf(key: string): { readonly prefix: string; readonly key: string } | undefined {
  const name = key.lastIndexOf('/')
  const middle = name <= 0 ? -1 : key.lastIndexOf('/', name - 1)
  return middle < 0 ? undefined : { prefix: key.slice(0, middle), key: key.slice(middle + 1) }
}
