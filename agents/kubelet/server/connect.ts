/** Exec, attach and port-forward: finds the container that is meant, then joins it to the client's streams. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Ctx } from '../../../core/lib/ctx.ts'
import type { Pod } from '../../../core/api/schema/types.ts'
import { dialLocalhost } from '../../host/netns.ts'
import type { RuntimeContainer, Session } from '../../host/runtime.ts'
import type { KubeletView } from '../kubelet.ts'
import { newest } from '../observe.ts'
import { findContainer } from '../spec.ts'
import { acceptForward } from '../streams/forward.ts'
import { acceptRemote, refuse, type RemoteOptions } from '../streams/remote.ts'
import { failure, joinSession } from '../streams/session.ts'

export interface Upgrade {
  readonly request: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
}

/** Paths: /exec/NAMESPACE/POD[/UID]/CONTAINER, /attach/..., /portForward/NAMESPACE/POD[/UID]. */
export async function serveStream(ctx: Ctx, view: KubeletView, url: URL, up: Upgrade): Promise<void> {
  const [, verb = '', namespace = '', name = '', ...rest] = url.pathname.split('/').map(decodeURIComponent)
  const pod = view.pod(namespace, name)
  const uid = verb === 'portForward' ? rest[0] : rest.length === 2 ? rest[0] : undefined
  if (pod === undefined || (uid !== undefined && uid !== '' && pod.metadata.uid !== uid)) return refuse(up.socket, 404, 'pod does not exist')
  if (verb === 'portForward') return forward(ctx, view, pod, url, up)
  if (verb !== 'exec' && verb !== 'attach') return refuse(up.socket, 404, '404 page not found')
  const container = rest.at(-1) ?? ''
  const target = newest(view.deps.observer.pod(pod.metadata.uid ?? ''), container)
  if (target === undefined || target.state !== 'running') return refuse(up.socket, 500, `container not found ("${container}")`)
  const options = optionsOf(url.searchParams)
  if (!options.stdin && !options.stdout && !options.stderr) return refuse(up.socket, 400, 'you must specify at least 1 of stdin, stdout, stderr')
  await remote(ctx, view, { pod, target, container, options, command: verb === 'exec' ? url.searchParams.getAll('command') : undefined }, up)
}

/** The API server says input, output, error; clients that come directly say stdin, stdout, stderr. */
function optionsOf(query: URLSearchParams): RemoteOptions {
  const on = (...names: string[]): boolean => names.some((name) => ['1', 'true'].includes(query.get(name) ?? ''))
  const tty = on('tty')
  return { stdin: on('input', 'stdin'), stdout: on('output', 'stdout'), stderr: on('error', 'stderr') && !tty, tty }
}

interface RemoteTarget {
  readonly pod: Readonly<Pod>
  readonly target: RuntimeContainer
  readonly container: string
  readonly options: RemoteOptions
  /** undefined: attach. */
  readonly command: readonly string[] | undefined
}

async function remote(ctx: Ctx, view: KubeletView, { pod, target, container, options, command }: RemoteTarget, { request, socket, head }: Upgrade): Promise<void> {
  const streams = await acceptRemote(ctx, request, socket, head, options)
  if (streams === undefined) return
  let session: Session
  // How a container is attached to is a matter of how it was made, not of what the client believes.
  const tty = command === undefined ? findContainer(pod, container)?.container.tty === true : options.tty
  try {
    session =
      command === undefined
        ? await view.runtime.attach(ctx, target.id, { stdin: options.stdin, tty })
        : await view.runtime.exec(ctx, target.id, { command, stdin: options.stdin, tty })
  } catch (error) {
    await streams.finish(failure(error instanceof Error ? error.message : String(error)))
    return streams.close()
  }
  await joinSession(ctx, streams, session, options)
}

async function forward(ctx: Ctx, view: KubeletView, pod: Readonly<Pod>, url: URL, { request, socket, head }: Upgrade): Promise<void> {
  const uid = pod.metadata.uid ?? ''
  const sandbox = view.deps.observer.pod(uid)?.sandboxes[0]
  if (sandbox === undefined || sandbox.state !== 'running') return refuse(socket, 500, `pod not found ("${pod.metadata.name}_${pod.metadata.namespace}")`)
  const ports = url.searchParams.getAll('port').flatMap((text) => text.split(',')).map(Number).filter((port) => port >= 1 && port <= 65_535)
  const netns = pod.spec?.hostNetwork === true ? undefined : `/proc/${sandbox.pid}/ns/net`
  await acceptForward(ctx, request, socket, head, ports, { pod: pod.metadata.name ?? '', uid: sandbox.id, dial: (_ctx, port) => dialLocalhost(netns, port) })
}
