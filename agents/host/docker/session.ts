/**
 * Exec and attach over Docker's hijacked connection: one duplex carries input
 * raw and output in frames (or raw with a tty). Docker lets an exec go on when
 * its client leaves, so close() ends the process.
 */
import { PassThrough, type Duplex } from 'node:stream'
import type { Container, Exec } from 'dockerode'
import type { Ctx } from '../../../core/lib/ctx.ts'
import type { ExecOptions, Session } from '../runtime.ts'
import { frameReader } from './frames.ts'

export async function dockerExec(_ctx: Ctx, container: Container, options: ExecOptions): Promise<Session> {
  const exec = await container.exec({
    Cmd: [...options.command],
    AttachStdin: options.stdin,
    AttachStdout: true,
    AttachStderr: true,
    Tty: options.tty,
  })
  const wire = await exec.start({ hijack: true, stdin: options.stdin, Tty: options.tty })
  const streams = split(wire, options.tty)
  return {
    ...streams,
    stdin: options.stdin ? wire : undefined,
    resize: async (_c, size) => void (await exec.resize({ w: size.columns, h: size.rows })),
    exitCode: (c) => exitCode(c, exec),
    async close(c) {
      wire.destroy()
      await endProcess(c, exec)
    },
  }
}

export async function dockerAttach(_ctx: Ctx, container: Container, options: { readonly stdin: boolean; readonly tty: boolean }): Promise<Session> {
  const wire = (await container.attach({ stream: true, hijack: true, stdin: options.stdin, stdout: true, stderr: true })) as unknown as Duplex
  return {
    ...split(wire, options.tty),
    stdin: options.stdin ? wire : undefined,
    resize: async (_c, size) => void (await container.resize({ w: size.columns, h: size.rows })),
    exitCode: async () => 0,
    close: async () => void wire.destroy(),
  }
}

/** Divides the connection's output; backpressure of a slow reader reaches Docker. */
function split(wire: Duplex, tty: boolean): Pick<Session, 'stdout' | 'stderr'> {
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  const read = frameReader()
  const hold = (to: PassThrough, data: Uint8Array): void => {
    if (to.destroyed || to.write(data)) return
    wire.pause()
    to.once('drain', () => wire.resume())
  }
  wire.on('data', (piece: Uint8Array) => {
    if (tty) return hold(stdout, piece)
    for (const frame of read(piece)) hold(frame.stream === 'stdout' ? stdout : stderr, frame.data)
  })
  const end = (): void => {
    stdout.end()
    stderr.end()
  }
  wire.on('end', end)
  wire.on('close', end)
  wire.on('error', end)
  return { stdout, stderr }
}

/** Docker tells the code a moment after the streams have ended. */
async function exitCode(ctx: Ctx, exec: Exec): Promise<number> {
  for (let tries = 0; tries < exitTriesMax; tries++) {
    const info = await exec.inspect()
    if (!info.Running && info.ExitCode !== null) return info.ExitCode
    await ctx.clock.sleep(exitTryMs * Math.min(tries + 1, 20), ctx.signal)
  }
  throw new Error('exec did not end')
}

const exitTriesMax = 600
const exitTryMs = 10

async function endProcess(ctx: Ctx, exec: Exec): Promise<void> {
  const info = await exec.inspect().catch(() => undefined)
  if (info === undefined || !info.Running || info.Pid === 0) return
  try {
    process.kill(info.Pid, 'SIGKILL')
  } catch (error) {
    ctx.log.debug('exec process was gone already', { pid: info.Pid, error })
  }
}
