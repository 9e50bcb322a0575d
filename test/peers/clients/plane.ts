/**
 * Whole control planes on loopback, as clients see them: ours is the built executable without a node, upstream's is its
 * API server with controllers and scheduler. Hollow nodes may be added: pods run there as far as the API can tell.
 */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeKubeconfig } from '../../../cmd/kubeconfig.ts'
import { systemRandom } from '../../../core/lib/random.ts'
import { loadClusterPki } from '../../../core/pki/cluster.ts'
import { executable } from '../../support/lab.ts'
import { poll, start, type Running } from '../../support/process.ts'
import { freePort } from '../peer.ts'
import { binDir, startUpstream, upstreamPrograms } from '../upstream.ts'
import { built, clientGo } from './programs.ts'

export interface Plane {
  readonly kubeconfig: string
  stop(): Promise<void>
}

export interface OwnPlane extends Plane {
  /** SIGKILL, then another process over the same data. */
  restart(): Promise<void>
}

const readyMs = 30_000

/** `disable`: controllers that do not run, where a test wants objects to stay as they are. */
export async function startExecutable(dir: string, { disable = [] }: { readonly disable?: readonly string[] } = {}): Promise<OwnPlane> {
  if (!existsSync(executable)) throw new Error(`${executable} is not built: npm run build`)
  mkdirSync(dir, { recursive: true })
  const kubeconfig = join(dir, 'kubeconfig')
  const log = join(dir, 'log')
  const args = [
    'server', '--disable-agent', '--bind-address', '127.0.0.1', '--advertise-address', '127.0.0.1', '--https-port', String(await freePort()), '--data-dir', join(dir, 'data'), '--write-kubeconfig', kubeconfig,
    ...disable.flatMap((name) => ['--disable', name]),
  ]
  const begin = async (): Promise<Running> => {
    rmSync(kubeconfig, { force: true })
    const running = start(executable, args, { log })
    await poll('the executable to be ready', readyMs, () => (existsSync(kubeconfig) ? true : `see ${log}`), 50)
    return running
  }
  let running = await begin()
  return {
    kubeconfig,
    async restart() {
      running.kill('SIGKILL')
      await running.exited
      running = await begin()
    },
    stop: async () => void (await running.stop()),
  }
}

/** A string says why there is none. */
export async function startUpstreamPlane(dir: string): Promise<Plane | string> {
  const programs = upstreamPrograms()
  if (typeof programs === 'string') return programs
  const missing = ['kube-controller-manager', 'kube-scheduler'].filter((name) => !existsSync(join(binDir, name)))
  if (missing.length > 0) return `${missing.join(' and ')} of upstream: not in ${binDir}`
  const server = await startUpstream(dir, programs)
  const pki = await loadClusterPki(join(dir, 'tls'), ['127.0.0.1', 'localhost'], { random: systemRandom, now: Date.now() })
  const kubeconfig = join(dir, 'kubeconfig')
  writeKubeconfig(kubeconfig, { server: `https://127.0.0.1:${server.port}`, caPem: pki.serverCa.certificate.pem, certificatePem: pki.admin.certificate.pem, keyPem: pki.admin.key.pem })
  const file = (name: string, text: string): string => {
    writeFileSync(join(dir, name), text, { mode: 0o600 })
    return join(dir, name)
  }
  const shared = [`--kubeconfig=${kubeconfig}`, `--authentication-kubeconfig=${kubeconfig}`, `--authorization-kubeconfig=${kubeconfig}`, '--bind-address=127.0.0.1', '--leader-elect=false']
  const parts = [
    start(join(binDir, 'kube-controller-manager'), [
      ...shared, `--secure-port=${await freePort()}`, `--root-ca-file=${file('server-ca.crt', pki.serverCa.certificate.pem)}`, `--service-account-private-key-file=${join(dir, 'account.key')}`,
      `--cluster-signing-cert-file=${join(dir, 'client-ca.crt')}`, `--cluster-signing-key-file=${file('client-ca.key', pki.clientCa.key.pem)}`,
      '--allocate-node-cidrs=true', '--cluster-cidr=10.42.0.0/16', '--service-cluster-ip-range=10.43.0.0/16', '--controllers=*,bootstrapsigner,tokencleaner',
    ], { log: join(dir, 'kube-controller-manager.log') }),
    start(join(binDir, 'kube-scheduler'), [...shared, `--secure-port=${await freePort()}`], { log: join(dir, 'kube-scheduler.log') }),
  ]
  return {
    kubeconfig,
    async stop() {
      for (const part of parts) await part.stop()
      await server.stop()
    },
  }
}

/** Two nodes that nobody runs; the result ends them. */
export async function addHollowNodes(plane: Plane): Promise<Running> {
  const hollow = start(built(clientGo), ['--kubeconfig', plane.kubeconfig, '--hollow', 'node-a,node-b'])
  await hollow.until(/hollow nodes/)
  return hollow
}
