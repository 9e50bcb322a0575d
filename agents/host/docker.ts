/**
 * The runtime on Docker: the only door to dockerode, which is loaded with the
 * first call because it is large. Everything is said over Docker's unix socket;
 * how Docker keeps containers, and what it cannot do on this machine, ends here.
 */
import { readFile } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import type Docker from 'dockerode'
import { unlessAborted, type Ctx } from '../../core/lib/ctx.ts'
import { createOptions } from './docker/create.ts'
import { layersOf } from './docker/layers.ts'
import { limits, resourcesOf } from './docker/resources.ts'
import { splitLines, readFrames } from './docker/frames.ts'
import { dockerAttach, dockerExec } from './docker/session.ts'
import { RuntimeError, type LogOptions, type RegistryAuth, type Runtime, type RuntimeContainer, type RuntimeEvent, type RuntimeImage } from './runtime.ts'

export interface DockerOptions {
  readonly socketPath: string
}

export function dockerRuntime(options: DockerOptions): Runtime {
  let opened: Promise<Docker> | undefined
  const docker = (): Promise<Docker> => (opened ??= import('dockerode').then((m) => new m.default({ socketPath: options.socketPath })))
  let capabilities: Promise<bigint> | undefined
  const caps = (): Promise<bigint> => (capabilities ??= boundingSet())

  return {
    async info() {
      const info = await tell('docker info', async () => (await docker()).info() as Promise<Record<string, unknown>>)
      return {
        name: 'docker',
        version: String(info['ServerVersion'] ?? 'unknown'),
        cgroupDriver: info['CgroupDriver'] === 'systemd' ? 'systemd' : 'cgroupfs',
        rootDir: String(info['DockerRootDir'] ?? '/var/lib/docker'),
      }
    },
    async containers(ctx, labels) {
      const list = await unlessAborted(ctx.signal, tell('list containers', async () => (await docker()).listContainers({ all: true, filters: { label: labelFilter(labels) } })))
      const found: RuntimeContainer[] = []
      for (let i = 0; i < list.length; i += inspectsAtOnce) {
        const batch = await Promise.all(list.slice(i, i + inspectsAtOnce).map((c) => this.inspect(ctx, c.Id)))
        for (const one of batch) if (one !== undefined) found.push(one)
      }
      return found
    },
    async inspect(ctx, id) {
      const data = await unlessAborted(ctx.signal, orGone(async () => (await docker()).getContainer(id).inspect()))
      return data === undefined ? undefined : containerOf(data)
    },
    events: (ctx, labels) => events(ctx, docker, labels),
    async create(_ctx, spec) {
      const created = await tell('', async () => (await docker()).createContainer(createOptions(spec, await caps())))
      return created.id
    },
    async start(_ctx, id) {
      await tell('', async () => (await docker()).getContainer(id).start())
    },
    async update(_ctx, id, resources) {
      await tell('', async () => (await docker()).getContainer(id).update(limits(resources)))
    },
    async stop(ctx, id, graceS) {
      // Docker goes on stopping it: only our waiting ends, which may be as long as a pod's grace.
      await unlessAborted(ctx.signal, orGone(async () => (await docker()).getContainer(id).stop({ t: graceS })))
    },
    async remove(_ctx, id) {
      await orGone(async () => (await docker()).getContainer(id).remove({ force: true, v: true }))
    },
    async image(_ctx, ref) {
      const data = await orGone(async () => (await docker()).getImage(ref).inspect())
      if (data === undefined) return undefined
      return { id: data.Id, tags: data.RepoTags ?? [], digests: data.RepoDigests ?? [], sizeBytes: data.Size, user: data.Config?.User ?? '' }
    },
    async images() {
      const list = await tell('list images', async () => (await docker()).listImages())
      return list.map((i): RuntimeImage => ({ id: i.Id, tags: real(i.RepoTags), digests: real(i.RepoDigests), sizeBytes: i.Size, user: '' }))
    },
    async layers(_ctx, ref) {
      const data = await tell('', async () => (await docker()).getImage(ref).inspect())
      return layersOf(data.GraphDriver)
    },
    async archive(_ctx, id) {
      return (await tell('', async () => (await docker()).getContainer(id).export())) as Readable
    },
    pull: (ctx, ref, auth) => pull(ctx, docker, ref, auth),
    async removeImage(_ctx, id) {
      await orGone(async () => (await docker()).getImage(id).remove())
    },
    async loadImages(_ctx, tar) {
      const { Readable } = await import('node:stream')
      const stream = await tell('load image', async () => (await docker()).loadImage(Readable.from([Buffer.from(tar)])))
      await progress(await docker(), stream)
    },
    logs: (ctx, id, opts) => logs(ctx, docker, id, opts),
    exec: async (ctx, id, opts) => tell('', async () => dockerExec(ctx, (await docker()).getContainer(id), opts)),
    attach: async (ctx, id, opts) => tell('', async () => dockerAttach(ctx, (await docker()).getContainer(id), opts)),
  }
}

/** Inspections in flight at once when everything is looked at. */
const inspectsAtOnce = 16

const labelFilter = (labels: Readonly<Record<string, string>>): string[] => Object.entries(labels).map(([key, value]) => (value === '' ? key : `${key}=${value}`))
const real = (names: readonly string[] | null | undefined): string[] => (names ?? []).filter((name) => !name.startsWith('<none>'))

function containerOf(data: Docker.ContainerInspectInfo): RuntimeContainer {
  const { State: state } = data
  const finishedMs = time(state.FinishedAt)
  const running = state.Running || state.Paused
  const startFailed = !running && finishedMs === 0 && state.ExitCode !== 0
  const exited = startFailed || (!running && finishedMs !== 0)
  return {
    id: data.Id,
    name: data.Name.replace(/^\//, ''),
    labels: data.Config.Labels ?? {},
    image: data.Config.Image,
    imageId: data.Image,
    state: running ? 'running' : exited ? 'exited' : 'created',
    pid: running ? state.Pid : 0,
    createdMs: time(data.Created),
    startedMs: time(state.StartedAt),
    finishedMs: running ? 0 : finishedMs,
    exitCode: state.ExitCode,
    oomKilled: state.OOMKilled,
    resources: resourcesOf(data.HostConfig),
    startFailed,
    error: state.Error ?? '',
  }
}

/** Docker writes the year 1 for "never". */
function time(text: string): number {
  const ms = Date.parse(text)
  return Number.isNaN(ms) || ms < 0 ? 0 : ms
}

async function* events(ctx: Ctx, docker: () => Promise<Docker>, labels: Readonly<Record<string, string>>): AsyncGenerator<RuntimeEvent> {
  const stream = await tell('watch docker events', async () =>
    (await docker()).getEvents({ since: (ctx.clock.now() / 1000).toFixed(3) as unknown as number, filters: { type: ['container'], label: labelFilter(labels) } }),
  )
  const stop = (): void => (stream as unknown as { destroy(): void }).destroy()
  if (ctx.signal.aborted) return stop()
  ctx.signal.addEventListener('abort', stop, { once: true })
  try {
    for await (const line of splitLines(stream as AsyncIterable<Uint8Array>)) {
      if (line === '') continue
      const event = JSON.parse(line) as { id?: string; Action?: string; Actor?: { ID?: string } }
      const action = event.Action ?? ''
      const known = action === 'create' || action === 'start' || action === 'die' || action === 'oom' || action === 'destroy'
      yield { containerId: event.Actor?.ID ?? event.id ?? '', action: known ? action : 'other' }
    }
  } catch (error) {
    if (!ctx.signal.aborted) throw error
  } finally {
    ctx.signal.removeEventListener('abort', stop)
    stop()
  }
  if (!ctx.signal.aborted) throw new RuntimeError(0, 'docker ended its events')
}

async function pull(ctx: Ctx, docker: () => Promise<Docker>, ref: string, auth: RegistryAuth | undefined): Promise<void> {
  const authconfig = auth === undefined ? undefined : { username: auth.username, password: auth.password, serveraddress: auth.server }
  const stream = await tell('', async () => (await docker()).pull(ref, authconfig === undefined ? {} : { authconfig }))
  const stop = (): void => (stream as unknown as { destroy(): void }).destroy()
  ctx.signal.addEventListener('abort', stop, { once: true })
  try {
    await progress(await docker(), stream)
    ctx.signal.throwIfAborted()
  } finally {
    ctx.signal.removeEventListener('abort', stop)
  }
}

/** Reads a progress stream to its end; what went wrong comes inside it. */
function progress(docker: Docker, stream: NodeJS.ReadableStream): Promise<void> {
  return new Promise((resolve, reject) => {
    docker.modem.followProgress(stream, (error: Error | null, steps: unknown[]) => {
      const failed = (steps ?? []).find((step): step is { error: string } => typeof (step as { error?: unknown } | undefined)?.error === 'string')
      if (error !== null && error !== undefined) reject(new RuntimeError(0, words(error), error))
      else if (failed !== undefined) reject(new RuntimeError(500, failed.error))
      else resolve()
    })
  })
}

async function* logs(ctx: Ctx, docker: () => Promise<Docker>, id: string, options: LogOptions): ReturnType<Runtime['logs']> {
  const container = (await docker()).getContainer(id)
  const info = await tell('', () => container.inspect())
  const query = {
    stdout: options.stdout,
    stderr: options.stderr,
    timestamps: options.timestamps,
    ...(options.tailLines === undefined ? {} : { tail: options.tailLines }),
    // Docker takes seconds with nine decimals.
    ...(options.sinceMs === undefined ? {} : { since: (options.sinceMs / 1000).toFixed(9) as unknown as number }),
  }
  const opened: unknown = await tell('', async () => (options.follow ? container.logs({ ...query, follow: true }) : container.logs({ ...query, follow: false })))
  const source: AsyncIterable<Uint8Array> = opened instanceof Uint8Array ? once(opened) : (opened as AsyncIterable<Uint8Array>)
  const stop = (): void => (opened as { destroy?: () => void }).destroy?.()
  if (ctx.signal.aborted) return stop()
  ctx.signal.addEventListener('abort', stop, { once: true })
  try {
    if (info.Config.Tty) for await (const data of source) yield { stream: 'stdout', data }
    else yield* readFrames(source)
  } catch (error) {
    if (!ctx.signal.aborted) throw error
  } finally {
    ctx.signal.removeEventListener('abort', stop)
    stop()
  }
}

async function* once(data: Uint8Array): AsyncGenerator<Uint8Array> {
  yield data
}

/** Capabilities that this machine's processes can have at all; Docker cannot give more. */
async function boundingSet(): Promise<bigint> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '')
  const hex = /^CapBnd:\s+([0-9a-f]+)/m.exec(status)?.[1]
  return hex === undefined ? ~0n : BigInt(`0x${hex}`)
}

/** Turns Docker's refusals into RuntimeError. `doing` is for calls whose words do not say what was asked. */
async function tell<T>(doing: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    if (error instanceof RuntimeError) throw error
    const code = (error as { statusCode?: number }).statusCode ?? 0
    throw new RuntimeError(code, doing === '' ? words(error) : `${doing}: ${words(error)}`, error)
  }
}

/** undefined for 404, and for 304 (already stopped). */
async function orGone<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await tell('', call)
  } catch (error) {
    if (error instanceof RuntimeError && (error.code === 404 || error.code === 304)) return undefined
    // Being removed already: somebody is quicker.
    if (error instanceof RuntimeError && error.code === 409 && /already in progress|is not running/.test(error.message)) return undefined
    throw error
  }
}

function words(error: unknown): string {
  const json = (error as { json?: { message?: string } }).json
  if (typeof json?.message === 'string') return json.message
  const code = (error as { code?: string }).code
  if (code === 'ENOENT' || code === 'ECONNREFUSED') return 'docker does not answer on its socket'
  // dockerode puts its own words before Docker's.
  return (error instanceof Error ? error.message : String(error)).replace(/^\(HTTP code \d+\) [\w ]+ - /, '').trim()
}
