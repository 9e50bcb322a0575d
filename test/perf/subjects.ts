/**
 * The two servers side by side: dist/kubun without a node, and upstream's kube-apiserver with etcd (test/peers), both
 * on loopback, both with an fsync before each acknowledgement.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeKubeconfig } from '../../cmd/kubeconfig.ts'
import { freePort } from '../peers/peer.ts'
import { startUpstream, type upstreamPrograms } from '../peers/upstream.ts'
import { poll, start } from '../support/process.ts'
import { measure, numberOf, type Subject } from './load.ts'

export const executable = process.env['KUBUN_EXECUTABLE'] ?? join(import.meta.dirname, '../../dist/kubun')

const logCharactersMax = 1_000
const startMsMax = 60_000

export interface Started {
  readonly subject: Subject
  /** From the start of its processes to /readyz. */
  readonly readyMs: number
  /** When it said that it was ready, ms since the epoch. */
  readonly readyAt: number
}

/** A server over `dir`, which may hold the data of an earlier one; `disabled` parts of it do not run. */
export async function startKubun(kbench: string, dir: string, disabled: readonly string[] = []): Promise<Started> {
  if (!existsSync(executable)) throw new Error(`${executable} is not there: npm run build`)
  const kubeconfig = join(dir, `kubeconfig-${await freePort()}`)
  const args = ['server', '--disable-agent', '--data-dir', join(dir, 'data'), '--https-port', String(await freePort()), '--bind-address', '127.0.0.1', '--write-kubeconfig', kubeconfig, ...disabled.flatMap((name) => ['--disable', name])]
  const since = `${Date.now()}000000`
  const server = start(executable, args, { log: join(dir, 'kubun.log') })
  const subject: Subject = { name: 'kubun', kubeconfig, pids: [server.pid], stop: async () => void (await server.stop()) }
  const log = (): string => readFileSync(join(dir, 'kubun.log'), 'utf8').trim().slice(-logCharactersMax)
  let code: number | undefined
  void server.exited.then((ended) => (code = ended))
  await poll('the server to be ready', startMsMax, () => existsSync(kubeconfig) || code !== undefined || 'it is not', 5)
  if (code !== undefined) throw new Error(`${executable} ended with code ${code}: ${log()}`)
  const readyAt = Date.now()
  const [row] = await measure(kbench, subject, 'ready', ['--since', since])
  return { subject, readyAt, readyMs: numberOf(row ?? {}, 'ms') ?? Number.NaN }
}

export async function startPeer(dir: string, programs: Exclude<ReturnType<typeof upstreamPrograms>, string>): Promise<Started> {
  const began = Date.now()
  const peer = await startUpstream(dir, programs, { fsync: true })
  const readyMs = Date.now() - began
  const { cert = '', key = '' } = peer.credentials.get('admin') ?? {}
  const kubeconfig = join(dir, 'kubeconfig')
  writeKubeconfig(kubeconfig, { server: `https://${peer.host}:${peer.port}`, caPem: peer.ca, certificatePem: cert, keyPem: key })
  return { subject: { name: 'upstream', kubeconfig, pids: peer.pids, stop: peer.stop }, readyMs, readyAt: began + readyMs }
}
