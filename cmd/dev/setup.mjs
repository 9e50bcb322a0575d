/**
 * Set-up of a fresh machine, in plain Node 20 without packages: Bun (pinned, from
 * npm) and the dependencies; for the main job also Docker Engine and nftables from
 * Debian's packages. Every step looks first and takes no time when it is done.
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const pinned = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).config.bun
const tools = join(root, '.tools')
export const bun = join(tools, 'node_modules', '.bin', 'bun')
process.env.PATH = `${dirname(bun)}:${join(root, 'node_modules', '.bin')}:${process.env.PATH}:/usr/sbin:/sbin`

export const say = (line) => console.log(`\u001b[1m==>\u001b[0m ${line}`)

export class SetupError extends Error {}

/** Runs a command with its output shown; throws when it fails. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options })
  if (result.error) throw new SetupError(`${command}: ${result.error.message}`)
  if (result.status !== 0) throw new SetupError(`${command} ${args.join(' ')} ended with ${result.status ?? result.signal}`)
  return result
}

export function has(command) {
  return spawnSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' }).status === 0
}

function output(command, args) {
  const result = spawnSync(command, args, { encoding: 'utf8' })
  return result.status === 0 ? result.stdout.trim() : undefined
}

/** Bun and the packages. */
export function toolchain() {
  if (!existsSync(bun) || output(bun, ['--version']) !== pinned) {
    say(`installing Bun ${pinned} from npm`)
    mkdirSync(tools, { recursive: true })
    run('npm', ['install', '--silent', '--prefix', tools, '--no-save', '--no-package-lock', '--no-audit', '--no-fund', `bun@${pinned}`])
    if (output(bun, ['--version']) !== pinned) run('node', [join(tools, 'node_modules', 'bun', 'install.js')])
  }
  const stamp = join(root, 'node_modules', '.kubun-lock')
  const lock = readFileSync(join(root, 'bun.lock'), 'utf8')
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) {
    say('installing the packages')
    run(bun, ['install', '--frozen-lockfile', '--silent'])
    writeFileSync(stamp, lock)
  }
  linkBun()
}

/** npm looks for the commands of its scripts in node_modules/.bin: with Bun there, they work without Bun on the PATH. */
function linkBun() {
  const link = join(root, 'node_modules', '.bin', 'bun')
  if (existsSync(link)) return
  rmSync(link, { force: true }) // one that leads nowhere
  symlinkSync(join('..', '..', '.tools', 'node_modules', '.bin', 'bun'), link)
}

/** Debian packages that are missing, by the command each brings. */
export function debian(wanted) {
  const missing = Object.entries(wanted).filter(([command]) => !has(command)).map(([, name]) => name)
  if (missing.length === 0) return
  if (process.getuid() !== 0) throw new SetupError(`${missing.join(', ')} must be installed: run as root, or apt-get install ${missing.join(' ')} first`)
  if (!has('apt-get')) throw new SetupError(`${missing.join(', ')} must be installed, and this machine has no apt-get: install them by hand`)
  say(`installing ${missing.join(', ')} from Debian`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const install = () => spawnSync('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...missing], { stdio: ['ignore', 'ignore', 'inherit'], env })
  if (install().status !== 0) {
    run('apt-get', ['update', '-q'], { stdio: ['ignore', 'ignore', 'inherit'], env })
    const second = install()
    if (second.status !== 0) throw new SetupError(`apt-get install ${missing.join(' ')} failed; see its output above`)
  }
}

export const engine = { dockerd: 'docker.io', nft: 'nftables', ip: 'iproute2' }

/** Docker Engine answers on its socket; it is started where it does not. */
export async function dockerRuns() {
  const answers = () => spawnSync('docker', ['version', '--format', '{{.Server.Version}}'], { stdio: 'ignore' }).status === 0
  if (answers()) return
  say('starting Docker Engine')
  if (existsSync('/run/systemd/system')) run('systemctl', ['start', 'docker'])
  else {
    const log = openSync('/var/log/dockerd.log', 'a')
    spawn('dockerd', [], { detached: true, stdio: ['ignore', log, log] }).unref()
  }
  for (let i = 0; i < 60; i++) {
    if (answers()) return
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
  throw new SetupError('Docker Engine does not answer after 30 s; /var/log/dockerd.log tells why')
}

/** Builds dist/kubun unless it is newer than every source. */
export function build() {
  const target = join(root, 'dist', 'kubun')
  const newest = output('sh', ['-c', `find cmd core agents web package.json bun.lock -type f -newer ${JSON.stringify(target)} ! -name '*.test.ts' 2>/dev/null | head -1`])
  if (existsSync(target) && statSync(target).size > 0 && newest === '') return target
  say('building dist/kubun')
  run(bun, ['cmd/dev/build.ts'])
  return target
}

/** Prints one sentence instead of a stack where set-up itself found the cause. */
export async function attempt(work) {
  try {
    process.exit((await work()) ?? 0)
  } catch (error) {
    console.error(error instanceof SetupError ? `error: ${error.message}` : error)
    process.exit(1)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await attempt(() => toolchain())
