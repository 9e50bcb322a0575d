/**
 * Joins a client's streams to a process: input, output, terminal size, and the
 * outcome as upstream's Status. When the client leaves, the process is ended.
 */
import type { Readable } from 'node:stream'
import type { Ctx } from '../../../core/lib/ctx.ts'
import type { Session } from '../../host/runtime.ts'
import type { RemoteOptions, RemoteStreams } from './remote.ts'

export async function joinSession(ctx: Ctx, remote: RemoteStreams, session: Session, options: RemoteOptions): Promise<void> {
  let left = false
  remote.onResize((size) => void session.resize(ctx, size).catch((error: unknown) => ctx.log.debug('terminal not resized', { error })))
  if (remote.stdin !== undefined && session.stdin !== undefined) {
    const { stdin } = session
    stdin.on('error', () => {}) // the process has ended; whoever still types is not heard
    remote.stdin.on('error', () => stdin.end())
    remote.stdin.pipe(stdin)
  }
  const output = Promise.all([
    pump(session.stdout, (data) => (options.stdout ? remote.write('stdout', data) : Promise.resolve())),
    pump(session.stderr, (data) => (options.stderr ? remote.write('stderr', data) : Promise.resolve())),
  ])
  const gone = remote.closed.then(() => {
    left = true
  })
  try {
    await Promise.race([output, gone])
    if (left) return
    // The code is not worth waiting for once the client has left.
    const code = await Promise.race([session.exitCode(ctx), gone])
    if (code !== undefined) await remote.finish(outcome(code))
  } catch (error) {
    if (!left) await remote.finish(failure(error instanceof Error ? error.message : String(error)))
  } finally {
    await session.close(ctx)
    remote.close()
  }
}

async function pump(from: Readable, write: (data: Uint8Array) => Promise<void>): Promise<void> {
  for await (const data of from as AsyncIterable<Uint8Array>) await write(data)
}

/** As upstream's remotecommand writes it; kubectl takes the exit code from the cause. */
export function outcome(code: number): string {
  if (code === 0) return JSON.stringify({ metadata: {}, status: 'Success' })
  return JSON.stringify({
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: command terminated with exit code ${code}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
  })
}

export function failure(message: string): string {
  const words = `error executing command in container: ${message}`
  return JSON.stringify({
    metadata: {},
    status: 'Failure',
    message: `Internal error occurred: ${words}`,
    reason: 'InternalError',
    details: { causes: [{ message: words }] },
    code: 500,
  })
}
