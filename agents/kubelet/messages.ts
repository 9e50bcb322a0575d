/** What a container left as its last words: the termination message file, or the end of its log (pkg/kubelet/kuberuntime getTerminationMessage). */
import { open } from 'node:fs/promises'
import type { Ctx } from '../../core/lib/ctx.ts'
import type { Runtime, RuntimeContainer } from '../host/runtime.ts'
import { label } from './labels.ts'
import type { ObservedPod } from './observe.ts'

const fileBytesMax = 4096
const logBytesMax = 2048
const logLinesMax = 80

/** The last words of a pod's containers, each read once, when it has ended. */
export class LastWords {
  readonly #runtime: Runtime
  readonly #known = new Map<string, string>()

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  /** By container id. */
  get known(): ReadonlyMap<string, string> {
    return this.#known
  }

  isMissing(observed: ObservedPod | undefined): boolean {
    return this.#unread(observed).length > 0
  }

  async read(ctx: Ctx, observed: ObservedPod | undefined): Promise<void> {
    for (const c of this.#unread(observed)) {
      const words = await terminationMessage(ctx, this.#runtime, c).catch(() => '')
      ctx.signal.throwIfAborted() // what was not read to its end is read again
      this.#known.set(c.id, words)
    }
  }

  forget(id: string): void {
    this.#known.delete(id)
  }

  #unread(observed: ObservedPod | undefined): readonly RuntimeContainer[] {
    return (observed?.containers ?? []).filter((c) => c.state === 'exited' && !this.#known.has(c.id))
  }
}

async function terminationMessage(ctx: Ctx, runtime: Runtime, c: RuntimeContainer): Promise<string> {
  const file = c.labels[label.logName]
  if (file === undefined || file === '') return ''
  const words = await tail(file).catch((error: unknown) => {
    return (error as { code?: string }).code === 'ENOENT' ? '' : `Error on reading termination log ${file}: ${error instanceof Error ? error.message : String(error)}`
  })
  if (words !== '' || c.labels[label.messagePolicy] !== 'FallbackToLogsOnError' || c.exitCode === 0) return words
  const lines: Uint8Array[] = []
  for await (const { data } of runtime.logs(ctx, c.id, { follow: false, timestamps: false, tailLines: logLinesMax, stdout: true, stderr: true })) lines.push(data)
  return Buffer.concat(lines).subarray(-logBytesMax).toString()
}

async function tail(path: string): Promise<string> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const length = Math.min(size, fileBytesMax)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length)
    return buffer.subarray(0, bytesRead).toString()
  } finally {
    await file.close()
  }
}
