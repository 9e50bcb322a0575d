/**
 * A lab of nodes on one machine: each a network namespace, joined by a bridge in
 * a namespace of its own, which is also the world outside (`outside`). Nothing is
 * made in the machine's own namespace. Needs root. end() removes everything,
 * also what ran inside.
 */
import { systemExec, type Exec } from '../../agents/host/exec.ts'
import { libc } from '../../agents/host/libc.ts'
import { createLink, inNamespace, type Link } from '../../agents/host/link.ts'
import { createNft, type Nft } from '../../agents/host/nft.ts'
import { systemClock } from '../../core/lib/clock.ts'
import type { Ctx } from '../../core/lib/ctx.ts'
import { consoleLog } from '../../core/lib/log.ts'

export interface LabSpace {
  readonly name: string
  /** Path of the namespace. */
  readonly netns: string
  readonly ip: string
  /** Runs commands inside. */
  readonly exec: Exec
  readonly link: Link
  readonly nft: Nft
}

export interface Lab {
  readonly ctx: Ctx
  readonly nodes: readonly LabSpace[]
  /** Where the bridge is: a host that belongs to no cluster. */
  readonly outside: LabSpace
  /** Another namespace, not connected to anything: a pod. */
  space(name: string): Promise<LabSpace>
  end(): Promise<void>
}

export interface LabOptions {
  readonly nodes: number
  /** First three numbers of the nodes' network. */
  readonly subnet?: string
}

let labs = 0

export async function openLab(options: LabOptions): Promise<Lab> {
  const controller = new AbortController()
  const ctx: Ctx = { signal: controller.signal, clock: systemClock, log: consoleLog('warn') }
  const subnet = options.subnet ?? '192.168.77'
  const prefix = `kl${process.pid.toString(36)}${labs++}`
  const made: string[] = []
  const ip = (...args: string[]): Promise<unknown> => systemExec.run(ctx, 'ip', args)
  const space = async (name: string, address = ''): Promise<LabSpace> => {
    const full = `${prefix}-${name}`
    await ip('netns', 'add', full)
    made.push(full)
    const netns = `/run/netns/${full}`
    const exec = inNamespace(systemExec, netns)
    await exec.run(ctx, 'ip', ['link', 'set', 'lo', 'up'])
    return { name: full, netns, ip: address, exec, link: createLink(systemExec, netns), nft: createNft(systemExec, netns) }
  }
  const end = async (): Promise<void> => {
    for (const name of made.toReversed()) {
      const pids = await systemExec.run(ctx, 'ip', ['netns', 'pids', name], { okCodes: [1, 255] }).catch(() => undefined)
      for (const pid of pids?.stdout.split('\n').filter((p) => p !== '' && Number(p) !== process.pid) ?? []) {
        try {
          process.kill(Number(pid), 'SIGKILL')
        } catch {
          // gone by itself
        }
      }
      await ip('netns', 'del', name).catch(() => {})
    }
    controller.abort()
  }
  try {
    const outside = await space('out', `${subnet}.254`)
    await outside.link.ip(ctx, ['link add br0 type bridge', 'link set br0 up', `addr add ${subnet}.254/24 dev br0`])
    const nodes: LabSpace[] = []
    for (let i = 1; i <= options.nodes; i++) {
      const node = await space(`n${i}`, `${subnet}.${i}`)
      await outside.link.ip(ctx, [`link add p${i} type veth peer name eth0 netns ${node.netns}`, `link set p${i} master br0`, `link set p${i} up`])
      await node.link.ip(ctx, [`addr add ${node.ip}/24 dev eth0`, 'link set eth0 up', `route add default via ${subnet}.254`])
      await node.link.sysctl(ctx, { 'ipv4/ip_forward': '1' })
      nodes.push(node)
    }
    return { ctx, nodes, outside, space, end }
  } catch (error) {
    await end()
    throw error
  }
}

/** A TCP server in a namespace that answers each connection with a line and closes it. */
export async function tcpServer(netns: string, hostname: string, port: number, answer: (peer: string) => string): Promise<{ stop(): void }> {
  const c = await mustLibc()
  const server = c.inNetns(netns, () =>
    Bun.listen({ hostname, port, socket: { open: (socket) => void socket.end(answer(socket.remoteAddress)), data: () => {}, error: () => {} } }),
  )
  return { stop: () => server.stop(true) }
}

/** What the server says, or the error's code (`ECONNREFUSED`, `timeout`). */
export async function tcpAsk(netns: string, hostname: string, port: number, timeoutMs = 1_500): Promise<string> {
  const c = await mustLibc()
  let text = ''
  let done: (value: string) => void = () => {}
  const result = new Promise<string>((resolve) => (done = resolve))
  const timer = setTimeout(() => done('timeout'), timeoutMs)
  const connecting = c.inNetns(netns, () =>
    Bun.connect({
      hostname,
      port,
      socket: {
        data: (_socket, data) => void (text += data.toString()),
        end: (socket) => void socket.end(),
        close: () => done(text),
        error: (_socket, error) => done((error as NodeJS.ErrnoException).code ?? error.message),
        connectError: (_socket, error) => done((error as NodeJS.ErrnoException).code ?? error.message),
      },
    }),
  )
  connecting.catch((error: unknown) => done((error as NodeJS.ErrnoException).code ?? String(error)))
  try {
    return await result
  } finally {
    clearTimeout(timer)
    void connecting.then((socket) => socket.terminate()).catch(() => {}) // may come much later, when packets are dropped
  }
}

/** A UDP server in a namespace that answers each packet with a line. */
export async function udpServer(netns: string, hostname: string, port: number, answer: (peer: string) => string): Promise<{ stop(): void }> {
  const c = await mustLibc()
  const socket = await c.inNetns(netns, () =>
    Bun.udpSocket({ hostname, port, socket: { data: (own, _data, fromPort, from) => void own.send(answer(from), fromPort, from) } }),
  )
  return { stop: () => socket.close() }
}

/** A UDP client that keeps its port between questions. */
export async function udpClient(netns: string): Promise<{ ask(ip: string, port: number, question: string | Uint8Array, timeoutMs?: number): Promise<Uint8Array | undefined>; close(): void }> {
  const c = await mustLibc()
  let got: (data: Uint8Array) => void = () => {}
  const socket = await c.inNetns(netns, () =>
    Bun.udpSocket({ hostname: '0.0.0.0', socket: { data: (_own, data) => got(new Uint8Array(data)), error: () => {} } }),
  )
  return {
    async ask(ip, port, question, timeoutMs = 1_000) {
      const answer = new Promise<Uint8Array | undefined>((resolve) => {
        got = resolve
        setTimeout(() => resolve(undefined), timeoutMs)
      })
      socket.send(question, port, ip)
      return await answer
    },
    close: () => socket.close(),
  }
}

export async function mustLibc(): Promise<NonNullable<Awaited<ReturnType<typeof libc>>>> {
  const c = await libc()
  if (c === undefined) throw new Error('the lab needs setns')
  return c
}
