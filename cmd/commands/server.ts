/** kubun server: the control plane, and this machine as its first node (a child process that joins like any other). */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import * as z from 'zod'
import { nodes } from '../../core/api/core/node.ts'
import { secrets } from '../../core/api/core/secret.ts'
import type { Client } from '../../core/client/client.ts'
import type { Ctx } from '../../core/lib/ctx.ts'
import { named } from '../../core/lib/ctx.ts'
import { parseDuration } from '../../core/lib/duration.ts'
import { contains, parseCidr, parseIp } from '../../core/lib/ip.ts'
import { Group } from '../../core/lib/group.ts'
import { systemRandom } from '../../core/lib/random.ts'
import { errorPath } from '../../core/lib/log.ts'
import type { ServerConfig, ServerParts } from '../../core/server.ts'
import { asset } from '../assets.ts'
import { orphanGraceMs, superviseChild } from '../child.ts'
import { accessFlags, authenticationOf, authorizationOf } from '../accessflags.ts'
import { address, cidr, count, domain, duration, folder, port } from '../flags.ts'
import { command, CommandError, type Terminal } from '../command.ts'
import { defaultKubeconfig, writeKubeconfig } from '../kubeconfig.ts'
import { defaultAddress, defaultNodeName, missingForNode, mustBeFree, mustBeRoot } from '../machine.ts'
import { createUi, type Ui } from '../../web/server.ts'
import { uiFile } from '../ui.ts'
import { apiVersion, version } from '../version.ts'
import { createToken } from './token.ts'

const range = z.string().refine((text) => isPortRange(text), 'must be ports, from the lower to the higher, such as 30000-32767')

/** Nodes renew their leases every 10 s: less than this takes living nodes for dead. */
const nodeGraceMsMin = 15_000

const serverFlags = z.object({
  'data-dir': z.string().default('/var/lib/kubun').describe('where the state of server and node is kept'),
  'https-port': port.default(6443).describe('port of the API server'),
  'bind-address': address.default('0.0.0.0').describe('address the API server listens on'),
  'advertise-address': address.optional().describe('address under which nodes and pods reach this server (default: the node address)'),
  'tls-san': z.array(z.string()).default([]).describe('further name or address in the serving certificate'),
  'cluster-cidr': cidr.default('10.42.0.0/16').describe('addresses of pods'),
  'service-cidr': cidr.default('10.43.0.0/16').describe('addresses of Services'),
  'cluster-dns': address.default('10.43.0.10').describe('address of the cluster DNS'),
  'cluster-domain': domain.default('cluster.local').describe('domain of the cluster'),
  'service-node-port-range': range.default('30000-32767').describe('NodePorts'),
  'node-monitor-grace': duration(nodeGraceMsMin, 'must be a duration of 15s or more: nodes report every 10 s').default('50s').describe('a node that is silent for so long is taken for dead'),
  'write-kubeconfig': z.string().default(defaultKubeconfig).describe("where the administrator's kubeconfig is written"),
  'write-kubeconfig-mode': z.string().regex(/^0?[0-7]{3}$/, 'must be an octal mode such as 0600').default('0600').describe('its mode'),
  'encryption-provider-config': z.string().optional().describe("EncryptionConfiguration file: what is sealed in the store, with which keys (default: Secrets, with a key of Kubun's own)"),
  ...accessFlags,
  'scheduler-config': z.string().optional().describe('KubeSchedulerConfiguration file: profiles, plugins, extenders (kubescheduler.config.k8s.io/v1)'),
  disable: z.array(z.string()).default([]).describe('a controller, or scheduler, that does not run; local-storage: no class local-path either'),
  'disable-agent': z.boolean().default(false).describe('this machine does not become a node'),
  'node-name': z.string().optional().describe('name of this node (default: the host name)'),
  'node-ip': address.optional().describe("address of this node (default: the default route's interface)"),
  'kubelet-port': port.default(10_250).describe('port of the kubelet'),
  'docker-socket': z.string().default('/var/run/docker.sock').describe('socket of Docker Engine'),
  'audit-policy-file': z.string().optional().describe('audit policy (audit.k8s.io/v1); by default changes are noted, with who made them'),
  'audit-log-path': z.string().optional().describe("where audit events are written ('-': standard output, '': nowhere; default: DATA-DIR/server/audit/audit.log)"),
  'audit-log-maxsize': count(0).default(50).describe('megabytes of the audit log before it is moved aside (0: no limit)'),
  'audit-log-maxage': count(0).default(30).describe('days for which old audit logs are kept (0: no limit)'),
  'audit-log-maxbackup': count(0).default(5).describe('old audit logs that are kept (0: no limit)'),
  'audit-webhook-config-file': z.string().optional().describe('kubeconfig of a server that audit events are sent to'),
  'audit-webhook-initial-backoff': duration(1).default('10s').describe('time before a batch is sent to it again'),
  'audit-webhook-batch-buffer-size': count(1).default(10_000).describe('events that may wait for it'),
  'audit-webhook-batch-max-size': count(1).default(400).describe('events in one batch'),
  'audit-webhook-batch-max-wait': duration(1).default('30s').describe('time after which a batch that is not full is sent'),
  'shutdown-delay-duration': duration().default('0s').describe('time for which requests are still taken after the server is told to stop, while /readyz fails already'),
  'local-storage-path': folder.optional().describe('where volumes of the class local-path lie on this node (default: DATA-DIR/storage)'),
  'vxlan-port': port.default(8_472).describe('UDP port of traffic between nodes'),
})

type Flags = Readonly<z.output<typeof serverFlags>>

export const serverCommand = command({
  name: 'server',
  summary: 'run the control plane, and this machine as a node',
  flags: serverFlags,
  async run(ctx, terminal, flags) {
    const began = ctx.clock.monotonic()
    mustBeRoot('kubun server')
    if (!flags['disable-agent']) {
      const [first] = await missingForNode(flags['docker-socket'])
      if (first !== undefined) throw new CommandError(first)
    }
    mustLieIn(flags['service-cidr'], flags['cluster-dns'])
    await mustBeFree(flags['bind-address'], flags['https-port'], 'https-port')
    if (!flags['disable-agent']) await mustBeFree('0.0.0.0', flags['kubelet-port'], 'kubelet-port', orphanGraceMs) // the node of a server that was killed
    const config = configOf(flags)
    let ui: Ui | undefined
    try {
      const { runServer } = await import('../../core/server.ts')
      await runServer(ctx, config, systemRandom, {
        ui: (parts) => (ui = createUi({ ...parts, file: uiFile })),
        ready: (parts) => ready(ctx, terminal, flags, config, { ...parts, ui }, began),
      })
    } catch (error) {
      if (!ctx.signal.aborted) throw new CommandError(sentence(flags, error), { cause: error })
    }
    return 0
  },
})

function isPortRange(text: string): boolean {
  const [from = 0, to = 0] = /^\d+-\d+$/.test(text) ? text.split('-').map(Number) : []
  return from >= 1 && from <= to && to <= 65_535
}

/** The Service of the DNS would be refused only once everything else runs. */
function mustLieIn(serviceCidr: string, dns: string): void {
  const range = parseCidr(serviceCidr)
  const ip = parseIp(dns)
  if (range === undefined || ip === undefined || contains(range, ip)) return
  throw new CommandError(`--cluster-dns ${dns} is not an address of Services: choose one in ${serviceCidr}, or another --service-cidr`)
}

function configOf(flags: Flags): ServerConfig {
  const [from = 30_000, to = 32_767] = flags['service-node-port-range'].split('-').map(Number)
  const advertiseAddress = flags['advertise-address'] ?? flags['node-ip'] ?? defaultAddress()
  const descriptions = asset('descriptions.json.gz')
  return Object.freeze({
    dataDir: flags['data-dir'],
    bindAddress: flags['bind-address'],
    port: flags['https-port'],
    advertiseAddress,
    tlsNames: [hostname(), ...flags['tls-san']],
    podCidrs: [flags['cluster-cidr']],
    serviceCidr: flags['service-cidr'],
    clusterDns: flags['cluster-dns'],
    clusterDomain: flags['cluster-domain'],
    nodePorts: { from, to },
    audit: auditOf(flags),
    authentication: authenticationOf(flags),
    authorization: authorizationOf(flags),
    shutdownDelayMs: parseDuration(flags['shutdown-delay-duration']),
    nodeMonitorGraceMs: parseDuration(flags['node-monitor-grace']),
    timeZone: new Intl.DateTimeFormat().resolvedOptions().timeZone,
    disabled: flags.disable,
    ...(flags['scheduler-config'] === undefined ? {} : { schedulerConfig: flags['scheduler-config'] }),
    ...(flags['encryption-provider-config'] === undefined ? {} : { encryptionConfig: flags['encryption-provider-config'] }),
    version: { gitVersion: version, gitCommit: '', buildDate: '1970-01-01T00:00:00Z' },
    descriptions: descriptions === undefined ? undefined : () => JSON.parse(gunzipSync(readFileSync(descriptions)).toString('utf8')) as ReturnType<NonNullable<ServerConfig['descriptions']>>,
  })
}

function auditOf(flags: Flags): NonNullable<ServerConfig['audit']> {
  const path = flags['audit-log-path'] ?? join(flags['data-dir'], 'server', 'audit', 'audit.log')
  const configFile = flags['audit-webhook-config-file']
  return {
    policyFile: flags['audit-policy-file'],
    log: path === '' ? undefined : {
      path,
      bytesMax: flags['audit-log-maxsize'] * 1_024 * 1_024,
      backupsMax: flags['audit-log-maxbackup'],
      ageMsMax: flags['audit-log-maxage'] * 86_400_000,
    },
    webhook: configFile === undefined ? undefined : {
      configFile,
      initialBackoffMs: parseDuration(flags['audit-webhook-initial-backoff']),
      bufferMax: flags['audit-webhook-batch-buffer-size'],
      batchMax: flags['audit-webhook-batch-max-size'],
      batchWaitMs: parseDuration(flags['audit-webhook-batch-max-wait']),
    },
  }
}

/** What went wrong at start, in one sentence where we know it. */
function sentence(flags: Flags, error: unknown): string {
  const text = errorPath(error)
  if (text.includes('EADDRINUSE')) return `port ${flags['https-port']} is in use: stop what listens there, or choose another with --https-port`
  return text
}

async function ready(ctx: Ctx, terminal: Terminal, flags: Flags, config: ServerConfig, parts: ServerParts & { readonly ui: Ui | undefined }, began: number): Promise<void> {
  const { pki, client, api, ui } = parts
  const credentials = { caPem: pki.serverCa.certificate.pem, certificatePem: pki.admin.certificate.pem, keyPem: pki.admin.key.pem }
  writeKubeconfig(flags['write-kubeconfig'], { server: `https://127.0.0.1:${api.port}`, ...credentials }, Number.parseInt(flags['write-kubeconfig-mode'], 8))
  const token = await nodeToken(ctx, client, config)
  const { joinToken } = await import('../../core/pki/cluster.ts')
  const join = joinToken(pki, token.id, token.secret)
  const address = `https://${config.advertiseAddress}:${api.port}`
  terminal.print(`kubun ${apiVersion} is ready after ${((ctx.clock.monotonic() - began) / 1_000).toFixed(2)} s`)
  terminal.print(`  kubeconfig  export KUBECONFIG=${flags['write-kubeconfig']}`)
  terminal.print(`  join        kubun agent --server ${address} --token ${join}`)
  const { commonName, organizations } = pki.admin.certificate.subject
  if (ui !== undefined) terminal.print(`  dashboard   ${address}${ui.issueCode({ name: commonName, groups: organizations })}  (once, within 10 minutes; kubun dashboard prints another)`)
  if (!flags['disable-agent']) void markControlPlane(ctx, client, flags['node-name'] ?? defaultNodeName())
  if (!flags['disable-agent']) startNode(ctx, flags, `https://127.0.0.1:${api.port}`, join)
}

/** The token with which nodes join this server; it is kept in the data dir, and made again when it was deleted. */
async function nodeToken(ctx: Ctx, client: Client, config: ServerConfig): Promise<{ readonly id: string; readonly secret: string }> {
  const path = join(config.dataDir, 'server', 'node-token')
  if (existsSync(path)) {
    const [id = '', secret = ''] = readFileSync(path, 'utf8').trim().split(':')
    if ((await client.get(ctx, secrets, { namespace: 'kube-system', name: `bootstrap-token-${id}` })) !== undefined) return { id, secret }
  }
  const made = await createToken(ctx, client, { ttlMs: 0, description: 'nodes of this server' })
  mkdirSync(join(config.dataDir, 'server'), { recursive: true })
  writeFileSync(path, `${made.id}:${made.secret}\n`, { mode: 0o600 })
  return made
}

/** A node may not call itself part of the control plane: the server does, when the node has come. */
async function markControlPlane(ctx: Ctx, client: Client, name: string): Promise<void> {
  const role = 'node-role.kubernetes.io/control-plane'
  while (!ctx.signal.aborted) {
    try {
      for await (const { type, object } of client.watch(ctx, nodes, { fieldSelector: `metadata.name=${name}` })) {
        if (type !== 'ADDED' && type !== 'MODIFIED') continue
        if (object.metadata.labels?.[role] === undefined) await client.patch(ctx, nodes, { namespace: '', name }, 'merge', { metadata: { labels: { [role]: 'true' } } })
        return
      }
    } catch (error) {
      if (!ctx.signal.aborted) ctx.log.warn('label the control plane node', { error: errorPath(error) })
    }
    await ctx.clock.sleep(labelAgainMs, ctx.signal).catch(() => undefined) // every watch ends, and the node may come late
  }
}

const labelAgainMs = 1_000

/** The node agent runs as a child of this executable: it lives on its own and joins like any other node. */
function startNode(ctx: Ctx, flags: Flags, server: string, token: string): void {
  const args = [
    'agent',
    '--server', server,
    '--data-dir', flags['data-dir'],
    '--node-name', flags['node-name'] ?? defaultNodeName(),
    '--node-ip', flags['node-ip'] ?? flags['advertise-address'] ?? defaultAddress(),
    '--kubelet-port', String(flags['kubelet-port']),
    '--docker-socket', flags['docker-socket'],
    '--vxlan-port', String(flags['vxlan-port']),
    '--cluster-cidr', flags['cluster-cidr'],
    '--service-cidr', flags['service-cidr'],
    '--cluster-dns', flags['cluster-dns'],
    '--cluster-domain', flags['cluster-domain'],
    ...(flags['local-storage-path'] === undefined ? [] : ['--local-storage-path', flags['local-storage-path']]),
    '--stop-with-parent',
  ]
  const group = new Group(ctx)
  group.go('node', (part) => superviseChild(named(part, 'node'), args, { KUBUN_TOKEN: token }))
  void group.wait().catch((error: unknown) => ctx.log.error('node', { error: errorPath(error) }))
}
