/**
 * Upstream's peer: etcd and kube-apiserver on loopback with certificates of ours, configured like our server and
 * without controllers. The programs are built once from the Go module proxy into the user's cache directory (a few
 * minutes); without Go and without the programs there is no such peer.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { createWriteStream, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { createPublicKey } from 'node:crypto'
import { systemRandom } from '../../core/lib/random.ts'
import { loadClusterPki, type ClusterPki } from '../../core/pki/cluster.ts'
import { freePort, senders, type RunningPeer } from './peer.ts'

/** Where programs of upstream are kept, also those of the conformance run. */
export const binDir = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'kubun-conformance', 'bin')

const kubernetes = 'v1.36.3'
const etcd = 'v3.6.8'
const startMs = 90_000

/** The programs' paths, built when they are missing; a sentence when they cannot be had. */
export function upstreamPrograms(): { readonly apiserver: string; readonly etcd: string } | string {
  const found = { apiserver: join(binDir, 'kube-apiserver'), etcd: join(binDir, 'etcd') }
  if (existsSync(found.apiserver) && existsSync(found.etcd)) return found
  if (spawnSync('go', ['version']).status !== 0) return `upstream's kube-apiserver and etcd are not in ${binDir}, and there is no Go to build them`
  const why = buildPrograms()
  return why ?? found
}

/** A module that asks for both programs; the staging repositories of kubernetes have the same version as v0. */
function buildPrograms(): string | undefined {
  const dir = join(binDir, '..', 'build')
  mkdirSync(dir, { recursive: true })
  mkdirSync(binDir, { recursive: true })
  const go = (...args: string[]): string | undefined => {
    const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false -mod=mod', GOWORK: 'off' }
    const run = spawnSync('go', args, { cwd: dir, env, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' })
    return run.status === 0 ? run.stdout : undefined
  }
  writeFileSync(join(dir, 'go.mod'), 'module kubun.test/peers\n\ngo 1.26.0\n\ngodebug default=go1.26\n')
  const root = go('mod', 'download', '-json', `k8s.io/kubernetes@${kubernetes}`)
  if (root === undefined) return `cannot download k8s.io/kubernetes ${kubernetes}`
  const { GoMod } = JSON.parse(root) as { GoMod: string }
  const staging = JSON.parse(go('mod', 'edit', '-json', GoMod) ?? '{}') as { Replace?: { Old: { Path: string } }[] }
  const replace = (staging.Replace ?? []).map(({ Old }) => `-replace=${Old.Path}=${Old.Path}@v0.${kubernetes.slice('v1.'.length)}`)
  const require = [`-require=k8s.io/kubernetes@${kubernetes}`, `-require=go.etcd.io/etcd/server/v3@${etcd}`]
  if (go('mod', 'edit', ...replace, ...require) === undefined) return 'cannot write go.mod'
  const [, minor = ''] = kubernetes.split('.')
  const version = { gitVersion: kubernetes, gitMajor: '1', gitMinor: minor, gitTreeState: 'clean' }
  const flags = Object.entries(version).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`).join(' ')
  for (const [name, program] of [['etcd', 'go.etcd.io/etcd/server/v3'], ['kube-apiserver', 'k8s.io/kubernetes/cmd/kube-apiserver']] as const) {
    if (go('build', '-trimpath', '-ldflags', `-s -w ${flags}`, '-o', join(binDir, name), program) === undefined) return `cannot build ${program}`
  }
  return undefined
}

/** Starts both under `dir`; logs are there, too. `fsync`: writes are durable, as a cluster has them and comparing answers needs not. */
export async function startUpstream(
  dir: string, programs: { readonly apiserver: string; readonly etcd: string }, { fsync = false }: { readonly fsync?: boolean } = {},
): Promise<RunningPeer & { readonly pids: readonly number[] }> {
  const [port, client, peers] = [await freePort(), await freePort(), await freePort()]
  const tls = join(dir, 'tls')
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const pki = await loadClusterPki(tls, ['127.0.0.1', 'localhost'], { random: systemRandom, now: Date.now() })
  const children: ChildProcess[] = []
  const start = (name: string, program: string, args: readonly string[]): void => {
    const child = spawn(program, args, { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] })
    const log = createWriteStream(join(dir, `${name}.log`))
    child.stdout?.pipe(log)
    child.stderr?.pipe(log)
    children.push(child)
  }
  const stop = async (): Promise<void> => {
    for (const child of children.toReversed()) await ended(child)
  }
  const etcdUrl = `http://127.0.0.1:${client}`
  const peerUrl = `http://127.0.0.1:${peers}`
  start('etcd', programs.etcd, [
    '--data-dir', join(dir, 'etcd'), ...(fsync ? [] : ['--unsafe-no-fsync']), '--listen-client-urls', etcdUrl, '--advertise-client-urls', etcdUrl,
    '--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl, '--initial-cluster', `default=${peerUrl}`,
  ])
  start('kube-apiserver', programs.apiserver, apiserverArgs(dir, pki, { port, etcdUrl }))
  const credentials = await senders(pki.clientCa)
  try {
    await ready({ port, ca: pki.serverCa.certificate.pem, ...credentials.get('admin') }, () => children.find((child) => child.exitCode !== null))
  } catch (error) {
    await stop()
    throw error
  }
  return { name: 'upstream', host: '127.0.0.1', port, ca: pki.serverCa.certificate.pem, credentials, stop, pids: children.map((child) => child.pid ?? 0) }
}

/** The PEM files that the program wants, and its flags. */
function apiserverArgs(dir: string, pki: ClusterPki, { port, etcdUrl }: { readonly port: number; readonly etcdUrl: string }): readonly string[] {
  const file = (name: string, text: string): string => {
    const path = join(dir, name)
    writeFileSync(path, text, { mode: 0o600 })
    return path
  }
  const accountKey = file('account.key', pki.serviceAccountKey.pem)
  const accountPub = file('account.pub', createPublicKey(pki.serviceAccountKey.pem).export({ type: 'spki', format: 'pem' }) as string)
  return [
    `--etcd-servers=${etcdUrl}`, '--bind-address=127.0.0.1', '--advertise-address=127.0.0.1', `--secure-port=${port}`,
    `--tls-cert-file=${file('serving.crt', pki.serving.certificate.pem)}`, `--tls-private-key-file=${file('serving.key', pki.serving.key.pem)}`,
    `--client-ca-file=${file('client-ca.crt', pki.clientCa.certificate.pem)}`,
    `--kubelet-client-certificate=${file('kubelet.crt', pki.kubeletClient.certificate.pem)}`, `--kubelet-client-key=${file('kubelet.key', pki.kubeletClient.key.pem)}`,
    `--service-account-key-file=${accountPub}`, `--service-account-signing-key-file=${accountKey}`,
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local', '--service-cluster-ip-range=10.43.0.0/16',
    '--authorization-mode=Node,RBAC', '--enable-admission-plugins=NodeRestriction', '--enable-bootstrap-token-auth', '--allow-privileged=true', '--endpoint-reconciler-type=none',
  ]
}

interface Door {
  readonly port: number
  readonly ca: string
  readonly cert?: string
  readonly key?: string
}

async function ready(door: Door, dead: () => ChildProcess | undefined): Promise<void> {
  const until = Date.now() + startMs
  while (Date.now() < until) {
    const gone = dead()
    if (gone !== undefined) throw new Error(`${gone.spawnfile} ended with code ${gone.exitCode}`)
    if (await answersOk(door)) return
    await new Promise((resolve) => setTimeout(resolve, 300))
  }
  throw new Error(`upstream's kube-apiserver is not ready within ${startMs / 1000} s`)
}

function answersOk(door: Door): Promise<boolean> {
  return new Promise((resolve) => {
    const call = request({ host: '127.0.0.1', path: '/readyz', agent: false, ...door }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    call.on('error', () => resolve(false))
    call.end()
  })
}

/** SIGTERM, and SIGKILL when that is not heard. */
function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve()
    const hard = setTimeout(() => child.kill('SIGKILL'), 10_000)
    child.once('exit', () => {
      clearTimeout(hard)
      resolve()
    })
    child.kill('SIGTERM')
  })
}
