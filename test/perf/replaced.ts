/**
 * Kubun's server twice: with its own scheduler or controllers, and with upstream's kube-scheduler or
 * kube-controller-manager in their place, over the same API. So what is compared is that part alone.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeKubeconfig } from '../../cmd/kubeconfig.ts'
import { controllers } from '../../core/controllers/controllers.ts'
import { systemRandom } from '../../core/lib/random.ts'
import { issue } from '../../core/pki/certificate.ts'
import { loadAuthority } from '../../core/pki/files.ts'
import { freePort } from '../peers/peer.ts'
import { binDir } from '../peers/upstream.ts'
import { poll, start } from '../support/process.ts'
import { accessOf } from './access.ts'
import type { Subject } from './load.ts'
import { startKubun } from './subjects.ts'

export type Replaceable = 'scheduler' | 'controllers'

const programs = { scheduler: 'kube-scheduler', controllers: 'kube-controller-manager' } as const
const startMsMax = 60_000
const hourMs = 3_600_000

/** Upstream's API server does these itself, or nobody does. */
const serversOwn = /^(crd-registration|crd-finalizer|autoregister|apiservice-availability|cluster-authentication-trust-controller|kubernetes-service-controller|ipallocator-repair-controller)$/
const names = [...new Set(controllers.map(({ name }) => name))]
const replaced = names.filter((name) => !serversOwn.test(name))

/** Client limits out of the way on both sides. */
const unlimited = ['--kube-api-qps=10000', '--kube-api-burst=10000', '--leader-elect=false', '--bind-address=127.0.0.1'] as const

export function missingProgram(part: Replaceable): string | undefined {
  const path = join(binDir, programs[part])
  return existsSync(path) ? undefined : `there is no ${path} to compare with: build k8s.io/kubernetes/cmd/${programs[part]}`
}

/**
 * Hollow nodes do not renew their leases: with nobody to judge them they stay as they are, so that the scheduler's
 * servers run without controllers.
 */
function disabled(part: Replaceable, { own }: { readonly own: boolean }): readonly string[] {
  if (part === 'scheduler') return own ? replaced : [...replaced, 'scheduler']
  return own ? ['scheduler'] : [...replaced, 'scheduler']
}

/** A server at work, and since when (ms since the epoch). */
export interface AtWork {
  readonly subject: Subject
  readonly readyAt: number
}

/** As it comes. */
export async function startOwn(kbench: string, dir: string, part: Replaceable): Promise<AtWork> {
  return await startKubun(kbench, dir, disabled(part, { own: true }))
}

/** With nobody who schedules, and nobody who judges nodes. */
export async function startUnscheduled(kbench: string, dir: string): Promise<Subject> {
  return (await startKubun(kbench, dir, disabled('scheduler', { own: false }))).subject
}

/** With upstream's program in the place of the part. */
export async function startReplaced(kbench: string, dir: string, part: Replaceable): Promise<AtWork> {
  const server = (await startKubun(kbench, dir, disabled(part, { own: false }))).subject
  const program = programs[part]
  const port = await freePort()
  const tls = join(dir, 'data', 'server', 'tls')
  const kubeconfig = await kubeconfigOf(server, dir, tls, program)
  const signIn = ['kubeconfig', 'authentication-kubeconfig', 'authorization-kubeconfig'].map((flag) => `--${flag}=${kubeconfig}`)
  const more = part === 'scheduler' ? [] : managerFlags(server, dir, tls)
  const log = join(dir, `${program}.log`)
  const child = start(join(binDir, program), [...signIn, ...unlimited, `--secure-port=${port}`, ...more], { log })
  let code: number | undefined
  void child.exited.then((ended) => (code = ended))
  const stop = async (): Promise<void> => {
    await child.stop()
    await server.stop()
  }
  try {
    await poll(`${program} to be ready`, startMsMax, () => (code === undefined ? isReady(port) : true) || 'it is not')
    if (code !== undefined) throw new Error(`${program} ended with code ${code}: ${readFileSync(log, 'utf8').slice(-1_000)}`)
  } catch (error) {
    await stop()
    throw error
  }
  return { subject: { name: 'upstream', kubeconfig: server.kubeconfig, pids: [...server.pids, child.pid], stop }, readyAt: Date.now() }
}

function isReady(port: number): boolean {
  return spawnSync('curl', ['-sk', `https://127.0.0.1:${port}/healthz`], { encoding: 'utf8' }).stdout === 'ok'
}

/** A certificate of the user that upstream's roles are bound to. */
async function kubeconfigOf(server: Subject, dir: string, tls: string, program: string): Promise<string> {
  const now = Date.now()
  const means = { random: systemRandom, now }
  const authority = await loadAuthority(tls, 'client-ca', means)
  const made = await issue(authority, { commonName: `system:${program}`, usages: ['client'], validity: { notBefore: now - hourMs, notAfter: now + 24 * hourMs } }, means)
  const path = join(dir, `${program}.kubeconfig`)
  const access = accessOf(server.kubeconfig)
  writeKubeconfig(path, { server: access.server, caPem: access.ca, certificatePem: made.certificate.pem, keyPem: made.key.pem })
  return path
}

function managerFlags(server: Subject, dir: string, tls: string): readonly string[] {
  const root = join(dir, 'root-ca.crt')
  writeFileSync(root, accessOf(server.kubeconfig).ca)
  return ['--use-service-account-credentials=true', `--root-ca-file=${root}`, `--service-account-private-key-file=${join(tls, 'service-account.key')}`, '--controllers=*']
}
