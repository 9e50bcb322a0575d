/**
 * Programs that tests drive: run() to the end with everything they wrote, start()
 * for those that go on, poll() for what takes a while. Every wait has a limit, and
 * says what it waited for. Processes are ended by their id.
 */
import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface RunInit {
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly timeoutMs?: number
}

const runTimeoutMsDefault = 120_000
export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** To its end. An exit code is an answer; only what takes too long or cannot start throws. */
export function run(command: string, args: readonly string[], init: RunInit = {}): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const limitMs = init.timeoutMs ?? runTimeoutMsDefault
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...init.env }, ...(init.cwd === undefined ? {} : { cwd: init.cwd }) })
    const text = { stdout: '', stderr: '' }
    child.stdout.setEncoding('utf8').on('data', (data: string) => (text.stdout += data))
    child.stderr.setEncoding('utf8').on('data', (data: string) => (text.stderr += data))
    child.stdin.on('error', () => {}) // it ended without reading
    child.stdin.end(init.input ?? '')
    let late = false
    const timer = setTimeout(() => {
      late = true
      child.kill('SIGKILL')
    }, limitMs)
    child.on('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      if (late) reject(new Error(`${command} ${args.join(' ')} took longer than ${limitMs / 1_000} s: ${text.stdout}${text.stderr}`))
      else resolve({ code: code ?? (signal === null ? 255 : 128), ...text })
    })
  })
}

/** run(), and anything but exit code 0 throws with the command's own words. */
export async function must(command: string, args: readonly string[], init: RunInit = {}): Promise<string> {
  const ran = await run(command, args, init)
  if (ran.code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${ran.code}: ${ran.stderr}${ran.stdout}`)
  return ran.stdout
}

export interface Running {
  readonly pid: number
  readonly exited: Promise<number>
  /** All it wrote so far (nothing, when it writes to a file). */
  text(): string
  write(text: string): void
  endInput(): void
  /** Waits until it wrote what the pattern wants. */
  until(pattern: RegExp, limitMs?: number): Promise<RegExpExecArray>
  kill(signal: NodeJS.Signals): void
  /** SIGTERM, then SIGKILL when it lingers; returns when it is gone. */
  stop(graceMs?: number): Promise<number>
}

export interface StartInit {
  readonly env?: Readonly<Record<string, string>>
  /** Output goes to the end of this file. */
  readonly log?: string
}

const stopGraceMsDefault = 10_000
const untilLimitMsDefault = 20_000

export function start(command: string, args: readonly string[], init: StartInit = {}): Running {
  const file = init.log === undefined ? undefined : openSync(init.log, 'a')
  const out = file ?? 'pipe'
  const child = spawn(command, args, { stdio: ['pipe', out, out], env: { ...process.env, ...init.env } })
  if (file !== undefined) closeSync(file)
  let text = ''
  child.stdout?.setEncoding('utf8').on('data', (data: string) => (text += data))
  child.stderr?.setEncoding('utf8').on('data', (data: string) => (text += data))
  child.stdin?.on('error', () => {})
  let ended = false
  const exited = new Promise<number>((resolve) => {
    const end = (code: number): void => {
      ended = true
      resolve(code)
    }
    child.on('error', () => end(255))
    child.on('exit', (code) => end(code ?? 128))
  })
  const running: Running = {
    pid: child.pid ?? 0,
    exited,
    text: () => text,
    write: (input) => void child.stdin?.write(input),
    endInput: () => void child.stdin?.end(),
    kill: (signal) => void (ended ? false : child.kill(signal)),
    async until(pattern, limitMs = untilLimitMsDefault) {
      return await poll(`${command} to write ${String(pattern)}`, limitMs, () => pattern.exec(text) ?? (ended ? `it ended: ${text}` : `it wrote: ${text.slice(-2_000)}`), 50)
    },
    async stop(graceMs = stopGraceMsDefault) {
      if (ended) return exited
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs)
      const code = await exited
      clearTimeout(timer)
      return code
    },
  }
  return running
}

/**
 * Asks until the answer is not a string, which tells how things stand, and what
 * the error says when the limit is reached. A check that throws is asked again.
 */
export async function poll<T>(what: string, limitMs: number, check: () => Promise<T | string> | T | string, everyMs = 250): Promise<Exclude<T, string>> {
  const end = Date.now() + limitMs
  for (;;) {
    const state = await Promise.resolve().then(check).catch((error: unknown) => (error instanceof Error ? error.message : String(error)))
    if (typeof state !== 'string') return state as Exclude<T, string>
    if (Date.now() > end) throw new Error(`waited ${limitMs / 1_000} s for ${what}; ${state}`)
    await sleep(everyMs)
  }
}
