/**
 * A runtime in memory, on a virtual clock: containers run as long as their script
 * says, images are there or not, exec answers from a function. For tests of the kubelet.
 */
import { PassThrough, Readable } from 'node:stream'
import type { Clock } from '../../core/lib/clock.ts'
import { RuntimeError, type ContainerResources, type ContainerSpec, type Runtime, type RuntimeContainer, type RuntimeEvent, type RuntimeImage } from './runtime.ts'

/** What a container does once it is started; undefined: it runs until it is stopped. */
export interface Script {
  readonly endsAfterMs?: number
  readonly exitCode?: number
  /** start() fails with these words. */
  readonly startFails?: string
  /** It takes no notice of its stop signal. */
  readonly stubborn?: boolean
}

export interface FakeRuntime extends Runtime {
  readonly all: Map<string, RuntimeContainer & { readonly spec: ContainerSpec }>
  readonly stored: Map<string, RuntimeImage>
  /** Names of containers that run. */
  running(): readonly string[]
  /** As if the process had ended by itself. */
  die(id: string, exitCode: number): void
}

export interface FakeOptions {
  readonly clock: Clock
  readonly script?: (spec: ContainerSpec) => Script
  readonly exec?: (id: string, command: readonly string[]) => { readonly code: number; readonly output?: string }
  /** Sees each update; may throw. */
  readonly updates?: (spec: ContainerSpec, resources: ContainerResources) => void
  /** Folders of an image's layers. */
  readonly layers?: (ref: string) => readonly string[]
  /** Images that a pull can bring. */
  readonly registry?: readonly string[]
}

export function fakeRuntime({ clock, script = () => ({}), exec = () => ({ code: 0 }), updates, layers, registry = [] }: FakeOptions): FakeRuntime {
  const all: FakeRuntime['all'] = new Map()
  const stored: FakeRuntime['stored'] = new Map()
  const listeners = new Set<(event: RuntimeEvent) => void>()
  const deaths = new Map<string, (() => void)[]>()
  let ids = 0
  const tell = (containerId: string, action: RuntimeEvent['action']): void => {
    for (const listen of listeners) listen({ containerId, action })
  }
  const change = (id: string, next: Partial<RuntimeContainer>): void => {
    const c = all.get(id)
    if (c !== undefined) all.set(id, { ...c, ...next })
  }
  const die = (id: string, exitCode: number): void => {
    if (all.get(id)?.state !== 'running') return
    change(id, { state: 'exited', pid: 0, exitCode, finishedMs: clock.now() })
    for (const tellDeath of deaths.get(id) ?? []) tellDeath()
    deaths.delete(id)
    tell(id, 'die')
  }
  const matches = (c: RuntimeContainer, labels: Readonly<Record<string, string>>): boolean => Object.entries(labels).every(([key, value]) => c.labels[key] === value)
  const imageOf = (ref: string): RuntimeImage => ({ id: `sha256:${ref}`, tags: [ref], digests: [], sizeBytes: 1000, user: '' })
  return {
    all,
    stored,
    die,
    running: () => [...all.values()].filter((c) => c.state === 'running').map((c) => c.name),
    info: async () => ({ name: 'fake', version: '1', cgroupDriver: 'cgroupfs', rootDir: '/nowhere' }),
    containers: async (_ctx, labels) => [...all.values()].filter((c) => matches(c, labels)),
    inspect: async (_ctx, id) => all.get(id),
    async *events(ctx, labels) {
      const queue: RuntimeEvent[] = []
      let wake = (): void => {}
      const listen = (event: RuntimeEvent): void => {
        const c = all.get(event.containerId)
        if (c !== undefined && !matches(c, labels)) return
        queue.push(event)
        wake()
      }
      listeners.add(listen)
      ctx.signal.addEventListener('abort', () => wake(), { once: true })
      try {
        while (!ctx.signal.aborted) {
          const next = queue.shift()
          if (next !== undefined) yield next
          else await new Promise<void>((resolve) => (wake = resolve))
        }
      } finally {
        listeners.delete(listen)
      }
    },
    async create(_ctx, spec) {
      if ([...all.values()].some((c) => c.name === spec.name)) throw new RuntimeError(409, `Conflict. The container name "/${spec.name}" is already in use by container`)
      const id = `id${++ids}`
      const image = spec.image
      all.set(id, {
        id, name: spec.name, labels: spec.labels, image, imageId: `sha256:${image}`, state: 'created', pid: 0,
        createdMs: clock.now(), startedMs: 0, finishedMs: 0, exitCode: 0, oomKilled: false, resources: spec.resources, startFailed: false, error: '', spec,
      })
      tell(id, 'create')
      return id
    },
    async start(_ctx, id) {
      const c = all.get(id)
      if (c === undefined) throw new RuntimeError(404, `No such container: ${id}`)
      const does = script(c.spec)
      if (does.startFails !== undefined) {
        change(id, { state: 'exited', startFailed: true, exitCode: 127, error: does.startFails })
        throw new RuntimeError(400, does.startFails)
      }
      change(id, { state: 'running', pid: 1000 + ids, startedMs: clock.now() })
      tell(id, 'start')
      if (does.endsAfterMs !== undefined) clock.after(does.endsAfterMs, () => die(id, does.exitCode ?? 0))
    },
    async update(_ctx, id, resources) {
      const c = all.get(id)
      if (c?.state !== 'running') throw new RuntimeError(409, `Container ${id} is not running`)
      if (updates !== undefined) updates(c.spec, resources)
      change(id, { resources })
      tell(id, 'other')
    },
    async stop(ctx, id, graceS) {
      const c = all.get(id)
      if (c === undefined || c.state !== 'running') return
      if (script(c.spec).stubborn === true && graceS > 0) {
        const died = new Promise<void>((resolve) => deaths.set(id, [...(deaths.get(id) ?? []), resolve]))
        await Promise.race([clock.sleep(graceS * 1000, ctx.signal), died])
      }
      die(id, script(c.spec).stubborn === true ? 137 : 143)
    },
    async remove(_ctx, id) {
      const found = all.has(id) ? id : [...all.values()].find((c) => c.name === id)?.id
      if (found === undefined) return
      tell(found, 'destroy')
      all.delete(found)
    },
    image: async (_ctx, ref) => stored.get(ref),
    images: async () => [...stored.values()],
    layers: async (_ctx, ref) => layers?.(ref),
    archive: async () => Readable.from([]),
    async pull(_ctx, ref) {
      if (!registry.includes(ref)) throw new RuntimeError(404, `pull access denied for ${ref}, repository does not exist or may require 'docker login'`)
      stored.set(ref, imageOf(ref))
    },
    async removeImage(_ctx, id) {
      for (const [ref, image] of stored) if (image.id === id) stored.delete(ref)
    },
    loadImages: async () => {},
    // oxlint-disable-next-line require-yield
    async *logs() {},
    async exec(_ctx, id, { command }) {
      const { code, output = '' } = exec(id, command)
      const [stdout, stderr] = [new PassThrough(), new PassThrough()]
      stdout.end(output)
      stderr.end()
      return { stdin: undefined, stdout, stderr, resize: async () => {}, exitCode: async () => code, close: async () => {} }
    },
    async attach() {
      throw new RuntimeError(501, 'the fake has nothing to attach to')
    },
  }
}
