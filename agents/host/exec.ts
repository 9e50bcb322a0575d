/**
 * Programs of the machine: the only door to execa. Runs one command to its end,
 * hands back what it wrote, and throws ExecError with the command's own words
 * when it fails. It never goes through a shell and never keeps a process.
 */
import type { Readable } from 'node:stream'
import type { Ctx } from '../../core/lib/ctx.ts'

export interface RunOptions {
  /** Written to the command's standard input, which is then closed. */
  readonly input?: string | Readable
  readonly timeoutMs?: number
  /** Exit codes besides 0 that are an answer, not a failure. */
  readonly okCodes?: readonly number[]
}

export interface RunResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface Exec {
  run(ctx: Ctx, command: string, args: readonly string[], options?: RunOptions): Promise<RunResult>
}

/** Longest time a command may take unless its caller says otherwise. */
export const runTimeoutMsDefault = 60_000

export class ExecError extends Error {
  readonly command: string
  /** undefined: it never ran, or a signal ended it. */
  readonly code: number | undefined
  readonly stderr: string

  constructor(command: string, code: number | undefined, stderr: string, cause?: unknown) {
    const words = stderr.trim().split('\n').slice(-stderrLinesMax).join(' | ')
    super(`${command}: ${words === '' ? `exit code ${code ?? 'none'}` : words}`, cause === undefined ? {} : { cause })
    this.name = 'ExecError'
    this.command = command
    this.code = code
    this.stderr = stderr
  }
}

/** Lines of a failed command's standard error that its ExecError repeats. */
const stderrLinesMax = 5

/** Commands on this machine. execa is loaded with the first one: it costs 50 ms that a server without a node need not pay. */
export const systemExec: Exec = {
  async run(ctx, command, args, options = {}) {
    const { execa } = await import('execa')
    const done = await execa(command, args, {
      reject: false,
      stdin: options.input === undefined ? 'ignore' : 'pipe',
      ...(options.input === undefined ? {} : { input: options.input }),
      stripFinalNewline: false,
      timeout: options.timeoutMs ?? runTimeoutMsDefault,
      cancelSignal: ctx.signal,
      env: { LC_ALL: 'C' },
    })
    if (done.isCanceled) throw ctx.signal.reason
    const shown = [command, ...args].join(' ').slice(0, 200)
    const stdout = String(done.stdout ?? '')
    const stderr = String(done.stderr ?? '')
    if (done.timedOut) throw new ExecError(shown, undefined, `timed out after ${options.timeoutMs ?? runTimeoutMsDefault} ms`)
    if (done.exitCode === undefined) throw new ExecError(shown, undefined, notRun(command, done), done)
    if (done.exitCode !== 0 && options.okCodes?.includes(done.exitCode) !== true) throw new ExecError(shown, done.exitCode, stderr)
    // It had read what there was and was content with it.
    if (done.exitCode === 0 && done.failed) throw new ExecError(shown, 0, `its input ended early: ${done.originalMessage ?? done.shortMessage}`, done.cause)
    return { code: done.exitCode, stdout, stderr }
  },
}

function notRun(command: string, done: { readonly code?: string | undefined; readonly signal?: string | undefined; readonly shortMessage?: string | undefined }): string {
  if (done.code === 'ENOENT') return `${command} is not installed`
  return done.signal === undefined ? (done.shortMessage ?? 'did not run') : `ended by ${done.signal}`
}
