/** What the commands need to know of this machine: its addresses, its name, what is missing. Sentences name the remedy. */
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { hostname, networkInterfaces } from 'node:os'
import { connect, createServer } from 'node:net'
import { systemClock } from '../core/lib/clock.ts'
import { CommandError } from './command.ts'

/** The host name as a node name: lower case, only what DNS allows. */
export function defaultNodeName(): string {
  return hostname().toLowerCase().replaceAll(/[^a-z0-9.-]/g, '-').replaceAll(/^[^a-z0-9]+|[^a-z0-9]+$/g, '')
}

/** Interfaces that are never the machine's own address. */
const foreign = /^(lo|docker|br-|veth|kubun|cni|flannel|cali|virbr)/

/** The address by which others reach this machine: that of the default route's interface, else the first that is no bridge's. */
export function defaultAddress(): string {
  const all = Object.entries(networkInterfaces()).filter(([name]) => !foreign.test(name))
  const route = defaultRouteInterface()
  const ordered = all.toSorted(([a], [b]) => Number(b === route) - Number(a === route))
  for (const [, addresses] of ordered) {
    const found = addresses?.find((a) => a.family === 'IPv4' && !a.internal)
    if (found !== undefined) return found.address
  }
  throw new CommandError('this machine has no address but loopback: give one with --node-ip')
}

function defaultRouteInterface(): string | undefined {
  try {
    const lines = readFileSync('/proc/net/route', 'utf8').split('\n').slice(1)
    return lines.map((line) => line.split('\t')).find((columns) => columns[1] === '00000000')?.[0]
  } catch {
    return undefined
  }
}

export function mustBeRoot(what: string): void {
  if (process.getuid?.() !== 0) throw new CommandError(`${what} needs root: run it with sudo`)
}

function commandPath(name: string): string | undefined {
  return `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`.split(':').map((dir) => `${dir}/${name}`).find((path) => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** One sentence a thing that a node needs and that is not there. */
export async function missingForNode(dockerSocket: string): Promise<readonly string[]> {
  const missing: string[] = []
  if (!existsSync(dockerSocket)) missing.push(`Docker Engine is not there (no socket at ${dockerSocket}): install it (Debian: apt-get install docker.io) or name its socket with --docker-socket`)
  else if (!(await answers(dockerSocket))) missing.push(`Docker Engine does not answer at ${dockerSocket}: start it (systemctl start docker, or dockerd)`)
  for (const [command, pack] of [['nft', 'nftables'], ['ip', 'iproute2']] as const) {
    if (commandPath(command) === undefined) missing.push(`the command ${command} is not there: install it (Debian: apt-get install ${pack})`)
  }
  if (missing.length === 0) missing.push(...missingInKernel())
  return missing
}

/** Looks whether the kernel has nftables and VXLAN; what the try makes is gone when it returns. */
function missingInKernel(): readonly string[] {
  const device = `kubun-try${process.pid % 10_000}`
  const tries = [
    ['nf_tables', 'nft', ['list', 'tables'], undefined],
    ['vxlan', 'ip', ['link', 'add', device, 'type', 'vxlan', 'id', '16777215', 'dstport', '0'], ['link', 'del', device]],
  ] as const
  return tries.flatMap(([module, command, args, undo]) => {
    const path = commandPath(command) ?? command
    if (spawnSync(path, [...args], { stdio: 'ignore' }).status !== 0) return [`the kernel module ${module} is not there: load it with modprobe ${module}`]
    if (undo !== undefined) spawnSync(path, [...undo], { stdio: 'ignore' })
    return []
  })
}

/** Says when somebody else listens on a port, before anything is made: at once, or when whoever may be ending has had `patienceMs`. */
export async function mustBeFree(host: string, port: number, flag: string, patienceMs = 0): Promise<void> {
  let code = await codeOfListening(host, port)
  for (let waited = 0; code === 'EADDRINUSE' && waited < patienceMs; waited += lookAgainMs) {
    await systemClock.sleep(lookAgainMs)
    code = await codeOfListening(host, port)
  }
  if (code === 'EADDRINUSE') throw new CommandError(`port ${port} is in use: stop what listens there, or choose another with --${flag}`)
  if (code === 'EADDRNOTAVAIL') throw new CommandError(`${host} is no address of this machine`)
}

const lookAgainMs = 250

/** '' when one can listen there. */
function codeOfListening(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'))
    server.listen(port, host, () => server.close(() => resolve('')))
  })
}

function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket)
    connection.once('connect', () => {
      connection.destroy()
      resolve(true)
    })
    connection.once('error', () => resolve(false))
  })
}
