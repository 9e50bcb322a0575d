/**
 * The container runtime in the kubelet's words. docker.ts implements it on
 * Docker, docker.fake.ts in memory. It knows containers, images and streams;
 * what a pod is, is told to it only through labels.
 */
import type { Duplex, Readable } from 'node:stream'
import type { Ctx } from '../../core/lib/ctx.ts'

export interface RuntimeInfo {
  readonly name: string
  readonly version: string
  readonly cgroupDriver: 'cgroupfs' | 'systemd'
  readonly rootDir: string
}

export interface RuntimeContainer {
  readonly id: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  /** As it was asked for. */
  readonly image: string
  readonly imageId: string
  readonly state: 'created' | 'running' | 'exited'
  /** 0 unless it runs. */
  readonly pid: number
  readonly createdMs: number
  /** 0: never. */
  readonly startedMs: number
  readonly finishedMs: number
  readonly exitCode: number
  readonly oomKilled: boolean
  /** What it was given: when it was made, or by the last update(). */
  readonly resources: ContainerResources
  /** It was created, but starting it failed; `error` says why. */
  readonly startFailed: boolean
  readonly error: string
}

export interface ContainerMount {
  readonly source: string
  readonly target: string
  readonly readOnly: boolean
  readonly propagation: 'rprivate' | 'rslave' | 'rshared'
}

/** A namespace: its own, the host's, or that of another container. */
export type Share = 'own' | 'host' | { readonly container: string }

export interface ContainerSpec {
  readonly name: string
  readonly image: string
  readonly labels: Readonly<Record<string, string>>
  /** Replaces the image's entrypoint; undefined keeps it. */
  readonly command?: readonly string[]
  readonly args?: readonly string[]
  readonly env: readonly string[]
  readonly workingDir?: string
  /** `uid`, `uid:gid` or a name. */
  readonly user?: string
  readonly groups: readonly string[]
  readonly hostname?: string
  readonly tty: boolean
  readonly stdin: boolean
  readonly stdinOnce: boolean
  /** Own network: none at all, or that of another container, or the host's. */
  readonly network: Share
  readonly ipc: Share
  readonly pid: Share
  readonly uts: 'own' | 'host'
  readonly mounts: readonly ContainerMount[]
  readonly sysctls: Readonly<Record<string, string>>
  readonly cgroupParent: string
  readonly resources: ContainerResources
  readonly oomScoreAdj: number
  readonly security: ContainerSecurity
  readonly keepLog: boolean
  readonly stopSignal?: string
}

export interface ContainerResources {
  readonly cpuShares: number
  /** 0: no limit. */
  readonly cpuQuotaUs: number
  readonly cpuPeriodUs: number
  readonly memoryBytes: number
}

export interface ContainerSecurity {
  readonly privileged: boolean
  readonly readOnlyRoot: boolean
  readonly noNewPrivileges: boolean
  readonly capAdd: readonly string[]
  readonly capDrop: readonly string[]
  /** 'default', 'unconfined', or a profile as JSON. */
  readonly seccomp: string
  /** /proc without masked and read-only parts. */
  readonly unmaskedProc: boolean
}

export interface RuntimeImage {
  readonly id: string
  readonly tags: readonly string[]
  readonly digests: readonly string[]
  readonly sizeBytes: number
  /** User of the image's configuration: '', a number, a name, each perhaps with a group. */
  readonly user: string
}

export interface RegistryAuth {
  readonly username: string
  readonly password: string
  readonly server: string
}

export interface RuntimeEvent {
  readonly containerId: string
  readonly action: 'create' | 'start' | 'die' | 'oom' | 'destroy' | 'other'
}

/** A process whose streams are at hand: exec or attach. */
export interface Session {
  /** Written to standard input; end() closes it for the process. */
  readonly stdin: Duplex | undefined
  /** Both end when the process's do. With a tty everything is on stdout. */
  readonly stdout: Readable
  readonly stderr: Readable
  resize(ctx: Ctx, size: { readonly columns: number; readonly rows: number }): Promise<void>
  /** Waits for the end of an exec's process and says its exit code; 0 for attach. */
  exitCode(ctx: Ctx): Promise<number>
  /** Lets go of the streams; ends an exec's process if it still runs. */
  close(ctx: Ctx): Promise<void>
}

export interface ExecOptions {
  readonly command: readonly string[]
  readonly stdin: boolean
  readonly tty: boolean
}

export interface LogOptions {
  readonly follow: boolean
  readonly timestamps: boolean
  /** undefined: all. */
  readonly tailLines?: number
  /** Milliseconds since the epoch. */
  readonly sinceMs?: number
  readonly stdout: boolean
  readonly stderr: boolean
}

export interface Runtime {
  info(ctx: Ctx): Promise<RuntimeInfo>
  /** Every container, running or not, that carries all the labels. */
  containers(ctx: Ctx, labels: Readonly<Record<string, string>>): Promise<readonly RuntimeContainer[]>
  inspect(ctx: Ctx, id: string): Promise<RuntimeContainer | undefined>
  /** Ends when ctx does; throws when the runtime goes away. */
  events(ctx: Ctx, labels: Readonly<Record<string, string>>): AsyncIterable<RuntimeEvent>
  create(ctx: Ctx, spec: ContainerSpec): Promise<string>
  start(ctx: Ctx, id: string): Promise<void>
  /** Gives a container that runs other resources; a limit of 0 is left as it is. */
  update(ctx: Ctx, id: string, resources: ContainerResources): Promise<void>
  /** Sends the stop signal, waits, kills; quiet when it does not run or is gone. */
  stop(ctx: Ctx, id: string, graceS: number): Promise<void>
  remove(ctx: Ctx, id: string): Promise<void>
  image(ctx: Ctx, ref: string): Promise<RuntimeImage | undefined>
  images(ctx: Ctx): Promise<readonly RuntimeImage[]>
  /** Folders of this machine that are an image's layers, topmost first, as an overlay takes them; undefined: the engine does not keep it so. */
  layers(ctx: Ctx, ref: string): Promise<readonly string[] | undefined>
  /** Everything a container's file system has, as a tar; it need not run. */
  archive(ctx: Ctx, id: string): Promise<Readable>
  pull(ctx: Ctx, ref: string, auth: RegistryAuth | undefined): Promise<void>
  removeImage(ctx: Ctx, id: string): Promise<void>
  /** Loads images from a tar in Docker's own format. */
  loadImages(ctx: Ctx, tar: Uint8Array): Promise<void>
  /** Output in order; chunks are whole lines of one of the two streams unless the container has a tty. */
  logs(ctx: Ctx, id: string, options: LogOptions): AsyncIterable<{ readonly stream: 'stdout' | 'stderr'; readonly data: Uint8Array }>
  exec(ctx: Ctx, id: string, options: ExecOptions): Promise<Session>
  attach(ctx: Ctx, id: string, options: { readonly stdin: boolean; readonly tty: boolean }): Promise<Session>
}

/** A refusal in the runtime's own words. */
export class RuntimeError extends Error {
  /** HTTP-like: 404 gone, 409 in the way; 0 when the runtime could not be reached. */
  readonly code: number

  constructor(code: number, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause })
    this.name = 'RuntimeError'
    this.code = code
  }
}
