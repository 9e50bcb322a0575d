/**
 * A server without a machine under it, for what only looks at the API: the real one in this process, with the
 * dashboard bundled from the checkout, two nodes that nobody runs, pods that say they are ready, and a kubelet that
 * knows one thing: logs.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer as createNetServer, type AddressInfo } from 'node:net'
import { createServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { writeKubeconfig } from '../../cmd/kubeconfig.ts'
import { leases } from '../../core/api/coordination/lease.ts'
import { nodes } from '../../core/api/core/node.ts'
import { pods } from '../../core/api/core/pod.ts'
import type { Client } from '../../core/client/client.ts'
import { systemClock } from '../../core/lib/clock.ts'
import type { Ctx } from '../../core/lib/ctx.ts'
import { silentLog } from '../../core/lib/log.ts'
import { systemRandom } from '../../core/lib/random.ts'
import { runServer, type ServerConfig, type ServerParts } from '../../core/server.ts'
import { createUi, type Ui } from '../../web/server.ts'

export interface Hollow {
  readonly url: string
  readonly kubeconfig: string
  readonly ui: Ui
  end(): Promise<void>
}

const everyMs = 500
const root = resolve(import.meta.dirname, '../..')

export async function openHollow(nodeNames: readonly string[]): Promise<Hollow> {
  const dir = mkdtempSync(join(tmpdir(), 'kubun-hollow-'))
  const life = new AbortController()
  const ctx: Ctx = { signal: life.signal, clock: systemClock, log: silentLog }
  const bundle = await Bun.build({ entrypoints: [join(root, 'web/main.tsx')], target: 'browser', minify: true })
  const script = new Uint8Array(await (bundle.outputs[0] as Blob).arrayBuffer())
  const file = (name: string): Uint8Array => (name === 'main.js' ? script : readFileSync(join(root, 'web', name)))
  const kubeconfig = join(dir, 'kubeconfig')
  const port = await freePort()
  const made: { ui?: Ui } = {}
  const started = Promise.withResolvers<ServerParts>()
  const running = runServer(ctx, config(dir, port), systemRandom, {
    ui: (parts) => (made.ui = createUi({ ...parts, file })),
    ready: async (parts) => started.resolve(parts),
  }).catch((error: unknown) => {
    started.reject(error)
    if (!life.signal.aborted) throw error
  })
  const parts = await started.promise
  const { pki, client } = parts
  writeKubeconfig(kubeconfig, { server: `https://127.0.0.1:${port}`, caPem: pki.serverCa.certificate.pem, certificatePem: pki.admin.certificate.pem, keyPem: pki.admin.key.pem })
  const kubelet = await startKubelet(parts)
  for (const name of nodeNames) await client.create(ctx, nodes, { metadata: { name } })
  const beating = beat(ctx, client, nodeNames, kubelet.port)
  if (made.ui === undefined) throw new Error('the server asked for no dashboard')
  return {
    url: `https://127.0.0.1:${port}`, kubeconfig, ui: made.ui,
    async end() {
      life.abort(new Error('hollow server ends'))
      kubelet.stop()
      await Promise.allSettled([running, beating])
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

function config(dir: string, port: number): ServerConfig {
  return {
    dataDir: join(dir, 'data'), bindAddress: '127.0.0.1', port, advertiseAddress: '127.0.0.1', tlsNames: [],
    podCidrs: ['10.42.0.0/16'], serviceCidr: '10.43.0.0/16', clusterDns: '10.43.0.10', clusterDomain: 'cluster.local',
    nodePorts: { from: 30_000, to: 32_767 }, nodeMonitorGraceMs: 60_000, disabled: [],
    version: { gitVersion: 'v1.36.0+kubun', gitCommit: '', buildDate: '' }, descriptions: undefined,
  }
}

async function freePort(): Promise<number> {
  const server = createNetServer().listen(0, '127.0.0.1')
  await new Promise((done) => server.once('listening', done))
  const { port } = server.address() as AddressInfo
  await new Promise((done) => server.close(done))
  return port
}

/** Logs that go on, at the address that every node gives. */
async function startKubelet({ pki }: ServerParts): Promise<{ readonly port: number; stop(): void }> {
  const server = createServer({ cert: pki.serving.certificate.pem, key: pki.serving.key.pem }, (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'https://kubelet')
    response.writeHead(200, { 'content-type': 'text/plain' })
    let count = 0
    const line = (): void => void response.write(`line ${++count} of ${pathname.split('/').slice(2).join('/')}\n`)
    for (let i = 0; i < 50; i++) line()
    if (searchParams.get('follow') !== 'true') return void response.end()
    const timer = setInterval(line, everyMs)
    response.on('close', () => clearInterval(timer))
  }).listen(0, '127.0.0.1')
  await new Promise((done) => server.once('listening', done))
  return {
    port: (server.address() as AddressInfo).port,
    stop() {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** Says for nodes and pods what kubelets would say. */
async function beat(ctx: Ctx, client: Client, names: readonly string[], port: number): Promise<void> {
  const conditions = (now: string): object[] => [{ type: 'Ready', status: 'True', reason: 'KubeletReady', lastHeartbeatTime: now, lastTransitionTime: now }]
  const size = { cpu: '4', memory: '8Gi', pods: '110' }
  while (!ctx.signal.aborted) {
    const now = new Date().toISOString().replace(/\.\d+Z/, 'Z')
    for (const name of names) {
      const status = { addresses: [{ type: 'InternalIP', address: '127.0.0.1' }], daemonEndpoints: { kubeletEndpoint: { Port: port } }, capacity: size, allocatable: size, conditions: conditions(now) }
      await client.patch(ctx, nodes, { namespace: '', name }, 'strategic', { status }, { subresource: 'status' }).catch(() => undefined)
      const spec = { holderIdentity: name, leaseDurationSeconds: 40, renewTime: now.replace('Z', '.000000Z') }
      await client.patch(ctx, leases, { namespace: 'kube-node-lease', name }, 'apply', { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name }, spec }, { force: true }).catch(() => undefined)
    }
    const waiting = (await client.list(ctx, pods).catch(() => undefined))?.items.filter((pod) => pod.spec?.nodeName !== undefined && pod.status?.phase !== 'Running') ?? []
    for (const { metadata, spec } of waiting) {
      const containerStatuses = spec?.containers.map(({ name, image = '' }) => ({ name, image, imageID: image, ready: true, restartCount: 0, started: true, state: { running: { startedAt: now } } }))
      const status = { phase: 'Running', podIP: '10.42.0.9', startTime: now, containerStatuses, conditions: conditions(now).map((of) => ({ ...of, lastHeartbeatTime: undefined })) }
      await client.patch(ctx, pods, { namespace: metadata.namespace ?? '', name: metadata.name ?? '' }, 'strategic', { status }, { subresource: 'status' }).catch(() => undefined)
    }
    await ctx.clock.sleep(everyMs, ctx.signal).catch(() => undefined)
  }
}
