/**
 * A cluster of two nodes on this machine, from the built executable: each node a
 * network namespace (netlab.ts) with its own dockerd and data dir; `kubun server`
 * in the first, `kubun agent` in the second, kubectl in the first. Everything lies
 * in one folder with a name of its own, in which all of it can be found again and
 * ended, also by the next lab when a run was killed.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { mountsNaming, processesNaming, processMark, removeCgroups } from './machine.ts'
import { openLab as openNetLab, type Lab as NetLab, type LabSpace } from './netlab.ts'
import { must, poll, run, sleep, start, type Ran, type RunInit, type Running } from './process.ts'

/** The executable under test; another one can be named, to look into it. */
export const executable = process.env['KUBUN_EXECUTABLE'] ?? resolve(import.meta.dirname, '../../dist/kubun')
const prefix = 'kubun-lab-'

export interface LabNode {
  readonly name: string
  readonly ip: string
  readonly netns: string
  readonly dir: string
  readonly dataDir: string
  readonly socket: string
  /** The docker client against this node's engine; what it prints. */
  docker(...args: readonly string[]): Promise<string>
}

export interface ClusterLab {
  readonly dir: string
  /** Part of every name that the lab makes on the machine. */
  readonly id: string
  readonly kubeconfig: string
  readonly first: LabNode
  readonly second: LabNode
  /** A machine that belongs to no node, on the same network. */
  readonly outside: LabSpace
  /** kubectl with these words; an array where words have spaces. */
  kubectl(words: string | readonly string[], init?: RunInit): Promise<Ran>
  /** kubectl that must succeed: what it prints. */
  k(words: string | readonly string[], init?: RunInit): Promise<string>
  /** kubectl apply -f - of this text. */
  apply(manifest: string): Promise<string>
  /** kubectl that goes on. */
  follow(words: string | readonly string[]): Running
  /** A program in the first node's namespace, with kubectl's environment. */
  onFirst(command: string, args: readonly string[], init?: RunInit): Promise<Ran>
  /** The executable in a node's namespace. */
  kubun(args: readonly string[], init?: RunInit & { readonly node?: LabNode }): Promise<Ran>
  startServer(): Promise<void>
  /** kill -9 of the server; its node's agent ends with it. */
  killServer(): Promise<void>
  startAgent(): Promise<void>
  killAgent(): Promise<void>
  /** The second node's cable. */
  plug(inserted: boolean): Promise<void>
  nodesReady(names: readonly string[], limitMs?: number): Promise<void>
  /** The last lines of every log. */
  tail(): string
  end(): Promise<void>
}

const dockerLimitMs = 30_000
const readyLimitMs = 30_000
/** Kubelets renew their lease every ten seconds. */
export const nodeMonitorGrace = '15s'

const words = (text: string | readonly string[]): readonly string[] => (typeof text === 'string' ? text.split(/\s+/).filter((word) => word !== '') : text)

export async function openClusterLab(): Promise<ClusterLab> {
  await endDeadLabs()
  const dir = mkdtempSync(join(tmpdir(), prefix))
  writeFileSync(join(dir, 'owner'), processMark(process.pid) ?? '')
  for (const sub of ['home', 'tmp']) mkdirSync(join(dir, sub))
  const made: { net?: NetLab } = {}
  try {
    made.net = await openNetLab({ nodes: 2 })
    writeFileSync(join(dir, 'namespaces'), [...made.net.nodes, made.net.outside].map((space) => space.name).join('\n'))
    return await build(dir, made.net)
  } catch (error) {
    await endLab(dir, made.net)
    throw error
  }
}

async function build(dir: string, net: NetLab): Promise<ClusterLab> {
  const id = dir.slice(dir.lastIndexOf('/') + 1)
  const kubeconfig = join(dir, 'kubeconfig')
  const [first, second] = net.nodes.map((space, i) => labNode(dir, space, ['one', 'two'][i] ?? '')) as [LabNode, LabNode]
  const env = { HOME: join(dir, 'home'), TMPDIR: join(dir, 'tmp'), KUBECONFIG: kubeconfig, KUBUN_CONFIG: join(dir, 'no-config'), KUBUN_LOG: 'info' }
  const inside = (node: LabNode, command: string, args: readonly string[]): readonly [string, readonly string[]] => ['nsenter', [`--net=${node.netns}`, command, ...args]]
  const onFirst = (command: string, args: readonly string[], init: RunInit = {}): Promise<Ran> => run(...inside(first, command, args), { ...init, env: { ...env, ...init.env } })
  const kubectl: ClusterLab['kubectl'] = (text, init) => onFirst('kubectl', words(text), init)
  const parts: { server?: Running; agent?: Running } = {}
  const k: ClusterLab['k'] = async (text, init) => {
    const ran = await kubectl(text, init)
    if (ran.code !== 0) throw new Error(`kubectl ${words(text).join(' ')} ended with ${ran.code}: ${ran.stderr}${ran.stdout}`)
    return ran.stdout
  }
  const starting = (node: LabNode, args: readonly string[], log: string): Running => start(...inside(node, executable, args), { env, log: join(dir, log) })
  const lab: ClusterLab = {
    dir, id, kubeconfig, first, second, outside: net.outside, onFirst, kubectl, k,
    apply: (manifest) => k('apply -f -', { input: manifest }),
    follow: (text) => start(...inside(first, 'kubectl', words(text)), { env }),
    kubun: (args, { node = first, ...init } = {}) => run(...inside(node, executable, args), { ...init, env: { ...env, ...init.env } }),
    async startServer() {
      parts.server = starting(first, ['server', ...nodeFlags(first), '--write-kubeconfig', kubeconfig, '--node-monitor-grace', nodeMonitorGrace], 'server.log')
      const { server } = parts
      let ended: number | undefined
      void server.exited.then((code) => (ended = code))
      await poll('the server to be ready', readyLimitMs, async () => {
        if (ended !== undefined) return `the server ended with ${ended}`
        if (!existsSync(kubeconfig)) return 'there is no kubeconfig yet'
        const ready = await kubectl('get --raw /readyz')
        return ready.code === 0 ? { ready } : ready.stderr
      })
    },
    async killServer() {
      parts.server?.kill('SIGKILL')
      await parts.server?.exited
    },
    async startAgent() {
      const token = (await must('nsenter', [`--net=${first.netns}`, executable, 'token', 'create', '--kubeconfig', kubeconfig], { env })).trim()
      parts.agent = starting(second, ['agent', '--server', `https://${first.ip}:6443`, '--token', token, ...nodeFlags(second)], 'agent.log')
    },
    async killAgent() {
      parts.agent?.kill('SIGKILL')
      await parts.agent?.exited
    },
    plug: (inserted) => net.outside.link.ip(net.ctx, [`link set p2 ${inserted ? 'up' : 'down'}`]),
    async nodesReady(names, limitMs = 60_000) {
      await poll(`nodes ${names.join(', ')} to be ready`, limitMs, async () => {
        const found = await k(['get', 'nodes', '-o', 'jsonpath={range .items[*]}{.metadata.name}={.status.conditions[?(@.type=="Ready")].status} {end}'])
        return names.every((name) => found.split(' ').includes(`${name}=True`)) ? { found } : `nodes: ${found}`
      })
    },
    tail: () => tail(dir),
    async end() {
      await Promise.all([parts.server?.stop(), parts.agent?.stop()])
      await endLab(dir, net)
    },
  }
  await Promise.all([first, second].map((node) => startDocker(dir, node)))
  return lab
}

function labNode(dir: string, space: LabSpace, name: string): LabNode {
  const at = join(dir, name)
  const socket = join(at, 'docker.sock')
  mkdirSync(at)
  return { name, ip: space.ip, netns: space.netns, dir: at, dataDir: join(at, 'data'), socket, docker: (...args) => must('docker', ['-H', `unix://${socket}`, ...args]) }
}

function nodeFlags(node: LabNode): readonly string[] {
  return ['--data-dir', node.dataDir, '--node-name', node.name, '--node-ip', node.ip, '--docker-socket', node.socket]
}

/** An engine of the node's own, without any network of Docker's. */
async function startDocker(dir: string, node: LabNode): Promise<void> {
  const config = join(node.dir, 'daemon.json')
  writeFileSync(config, '{}')
  const flags = ['--config-file', config, '--data-root', join(node.dir, 'docker'), '--exec-root', join(node.dir, 'exec'), '--pidfile', join(node.dir, 'docker.pid'), '-H', `unix://${node.socket}`]
  const quiet = ['--bridge', 'none', '--iptables=false', '--ip6tables=false', '--ip-masq=false', '--ip-forward=false']
  const group = `/${dir.slice(dir.lastIndexOf('/') + 1)}`
  start('nsenter', [`--net=${node.netns}`, 'dockerd', ...flags, ...quiet, '--cgroup-parent', group], { log: join(dir, `docker-${node.name}.log`) })
  await poll(`dockerd of node ${node.name}`, dockerLimitMs, async () => {
    const asked = await run('docker', ['-H', `unix://${node.socket}`, 'version'])
    return asked.code === 0 ? { asked } : asked.stderr
  })
}

const tailLines = 40

function tail(dir: string): string {
  if (!existsSync(dir)) return ''
  const logs = readdirSync(dir).filter((file) => file.endsWith('.log') && !file.startsWith('docker'))
  return logs.map((file) => `--- ${file}\n${readFileSync(join(dir, file), 'utf8').trimEnd().split('\n').slice(-tailLines).join('\n')}`).join('\n')
}

/** Ends what lives in the folder, then removes the folder. Each step goes on when the one before found nothing. */
async function endLab(dir: string, net: NetLab | undefined): Promise<void> {
  const id = dir.slice(dir.lastIndexOf('/') + 1)
  const uids = (await Promise.all(['one', 'two'].map((name) => removeContainers(join(dir, name, 'docker.sock'))))).flat()
  for (const name of ['one', 'two']) await stopByPidFile(join(dir, name, 'docker.pid'))
  await net?.end()
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    for (const pid of processesNaming(id)) {
      try {
        process.kill(pid, signal)
      } catch {
        // gone by itself
      }
    }
    for (let i = 0; i < 20 && processesNaming(id).length > 0; i++) await sleep(100)
  }
  for (const point of mountsNaming(id)) await run('umount', ['-l', point])
  removeCgroups(id, ...uids)
  rmSync(dir, { recursive: true, force: true })
}

/** Every container of an engine; the ids of their pods. */
async function removeContainers(socket: string): Promise<readonly string[]> {
  if (!existsSync(socket)) return []
  const docker = (...args: readonly string[]): Promise<Ran> => run('docker', ['-H', `unix://${socket}`, ...args])
  const listed = await docker('ps', '-a', '--format', '{{.ID}} {{.Label "io.kubernetes.pod.uid"}}')
  const rows = listed.stdout.split('\n').filter((line) => line !== '').map((line) => line.split(' '))
  if (rows.length > 0) await docker('rm', '-f', '-v', ...rows.map(([id = '']) => id))
  return [...new Set(rows.map(([, uid = '']) => uid).filter((uid) => uid !== ''))]
}

const dockerStopMs = 10_000

async function stopByPidFile(file: string): Promise<void> {
  const pid = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0
  const alive = (): boolean => existsSync(`/proc/${pid}`)
  if (pid === 0 || !alive()) return
  process.kill(pid, 'SIGTERM')
  for (let waited = 0; alive() && waited < dockerStopMs; waited += 100) await sleep(100)
}

/** Labs whose test was killed before it could end them. */
async function endDeadLabs(): Promise<void> {
  for (const entry of readdirSync(tmpdir()).filter((name) => name.startsWith(prefix))) {
    const dir = join(tmpdir(), entry)
    const owner = existsSync(join(dir, 'owner')) ? readFileSync(join(dir, 'owner'), 'utf8') : ''
    if (owner === '' ? Date.now() - statSync(dir).mtimeMs < 60_000 : processMark(Number(owner.split(' ')[0])) === owner) continue
    const spaces = existsSync(join(dir, 'namespaces')) ? readFileSync(join(dir, 'namespaces'), 'utf8').split('\n') : []
    await endLab(dir, undefined)
    for (const space of spaces) await run('ip', ['netns', 'del', space])
  }
}
