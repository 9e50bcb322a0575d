/** Programs that are built from their Go modules (clients/<name>/go.mod) into the user's cache directory, when their sources are newer. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { binDir } from '../upstream.ts'

interface Program {
  readonly name: string
  /** A package, or `test:PACKAGE` for the program of a package's tests. */
  readonly from: string
  /** Of its module, where it is not the folder of its name here. */
  readonly dir?: string
}

const runtime = 'sigs.k8s.io/controller-runtime'

export const clientGo: Program = { name: 'client-go', from: '.' }
export const helm: Program = { name: 'helm', from: 'helm.sh/helm/v3/cmd/helm' }

/** The tests of controller-runtime's packages that talk to a server. */
export function suiteProgram(part: string): Program {
  return { name: 'controller-runtime', from: `test:${runtime}/pkg/${part}` }
}

/** Where the program is; an Error where it cannot be built. */
export function built(program: Program): string {
  const dir = program.dir ?? join(import.meta.dirname, program.name)
  const isSuite = program.from.startsWith('test:')
  const from = program.from.replace('test:', '')
  const path = join(binDir, isSuite ? `${from.slice(runtime.length + 5).replaceAll('/', '_')}.suite` : program.name)
  if (existsSync(path) && !newer(dir, statSync(path).mtimeMs)) return path
  mkdirSync(binDir, { recursive: true })
  const way = isSuite ? ['test', '-c'] : ['build']
  const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false', GOWORK: 'off' }
  const done = spawnSync('nice', ['go', ...way, '-p', '2', '-trimpath', '-ldflags', '-s -w', '-o', path, from], { cwd: dir, env, stdio: ['ignore', 'inherit', 'inherit'] })
  if (done.status !== 0) throw new Error(`go cannot build ${from} in ${dir}`)
  return path
}

function newer(dir: string, thanMs: number): boolean {
  return readdirSync(dir).some((name) => /\.go$|^go\.(mod|sum)$/.test(name) && statSync(join(dir, name)).mtimeMs > thanMs)
}

/** Where the sources of a module are that a program's module asks for. */
export function sourcesOf(module: string): string {
  const done = spawnSync('go', ['list', '-m', '-f', '{{.Dir}}', module], { cwd: join(import.meta.dirname, 'controller-runtime'), env: { ...process.env, GOFLAGS: '-mod=mod', GOWORK: 'off' }, encoding: 'utf8' })
  if (done.status !== 0) throw new Error(`go does not know ${module}: ${done.stderr}`)
  return done.stdout.trim()
}
