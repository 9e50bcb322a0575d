/**
 * Composition root of a node: joins the cluster, then runs kubelet, network,
 * service proxy and DNS, each from its own room, over one connection and one set
 * of informers. Knows no flags: cmd hands it a config. Whatever pods do goes on when it ends.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { namespaces } from '../core/api/core/namespace.ts'
import { nodes } from '../core/api/core/node.ts'
import { formatResolvConf, parseResolvConf } from '../core/api/core/resolvconf.ts'
import { services } from '../core/api/core/service.ts'
import { endpointSlices } from '../core/api/discovery/endpointslice.ts'
import { serviceCIDRs } from '../core/api/networking/servicecidr.ts'
import type { Taint } from '../core/api/schema/types.ts'
import type { Client } from '../core/client/client.ts'
import { Informers } from '../core/client/informers.ts'
import { textOf } from '../core/client/lines.ts'
import { EventRecorder as Recorder } from '../core/client/recorder.ts'
import { named, type Ctx } from '../core/lib/ctx.ts'
import { Group } from '../core/lib/group.ts'
import type { Random } from '../core/lib/random.ts'
import type { Identity } from '../core/pki/certificate.ts'
import { dnsDeviceDefault } from './dns/device.ts'
import { runDns } from './dns/dns.ts'
import { zoneTtlSDefault } from './dns/zone.ts'
import { systemCgroups, type Cgroups } from './host/cgroups.ts'
import { dockerRuntime } from './host/docker.ts'
import { systemExec } from './host/exec.ts'
import { createLink, type Link } from './host/link.ts'
import { systemMounts } from './host/mounts.ts'
import { createNft, type Nft } from './host/nft.ts'
import { systemUnpack } from './host/unpack.ts'
import { joinCluster, keepClientRenewed, servingCertificate, type JoinOptions, type NodeIdentity } from './kubelet/bootstrap.ts'
import { runLocalStorage } from './kubelet/localstorage.ts'
import { runKubelet, type KubeletOptions, type KubeletView } from './kubelet/kubelet.ts'
import type { EventRecorder, PodAttachment, PodNetwork } from './kubelet/ports.ts'
import { cgroupRoot } from './kubelet/resources.ts'
import { serveKubelet } from './kubelet/server/server.ts'
import { runNetwork } from './network/network.ts'
import { overlayDeviceDefault, vniDefault, vxlanOverheadBytes } from './network/overlay.ts'
import { podNetwork } from './network/pods.ts'
import { runProxy } from './proxy/proxy.ts'

export { JoinError } from './kubelet/bootstrap.ts'

export interface AgentConfig {
  /** https://first:6443 */
  readonly server: string
  /** Needed until the node has joined once. */
  readonly token: string | undefined
  readonly dataDir: string
  readonly nodeName: string
  readonly nodeIp: string
  readonly labels: Readonly<Record<string, string>>
  readonly taints: readonly Taint[]
  readonly kubeletPort: number
  readonly dockerSocket: string
  readonly vxlanPort: number
  readonly clusterCidrs: readonly string[]
  readonly serviceCidr: string
  readonly clusterDns: string
  readonly clusterDomain: string
  readonly podsMax: number
  /** The folder for volumes of Kubun's own provisioner. */
  readonly localStoragePath: string
  /** Shown as the node's kubelet version: v1.36.3. */
  readonly version: string
}

const agentName = 'kubun-agent'

/** Until ctx ends, or a part fails. Throws JoinError with a sentence for the user when the node cannot join. */
export async function runAgent(parent: Ctx, config: AgentConfig, random: Random): Promise<void> {
  const ctx = named(parent, 'agent')
  const joining: JoinOptions = { server: config.server, token: config.token, nodeName: config.nodeName, directory: join(config.dataDir, 'agent', 'tls'), agent: agentName }
  const identity = await joinCluster(ctx, joining)
  await using parts = new Group(ctx)
  try {
    await startParts(parts, config, random, { identity, joining })
    await parts.wait()
  } finally {
    identity.api.close()
  }
}

interface Joined {
  readonly identity: NodeIdentity
  readonly joining: JoinOptions
}

/** What the rooms of one node share. */
interface Shared {
  readonly config: AgentConfig
  readonly random: Random
  readonly client: Client
  readonly informers: Informers
  readonly link: Link
  readonly nft: Nft
  readonly resolvConf: string
  /** The node's range of pod addresses, once it has one. */
  readonly podCidr: () => string | undefined
  /** Of pods' devices and the overlay. */
  readonly mtu: number
}

async function startParts(parts: Group, config: AgentConfig, random: Random, joined: Joined): Promise<void> {
  const { ctx } = parts
  const client: Client = joined.identity.api
  const informers = new Informers({ client, random })
  const allNodes = informers.of(nodes)
  const link = createLink(systemExec)
  const shared: Shared = {
    config,
    random,
    client,
    informers,
    link,
    nft: createNft(systemExec),
    resolvConf: await nodeResolvConf(),
    podCidr: () => allNodes.lister.get({ namespace: '', name: config.nodeName })?.spec?.podCIDR,
    mtu: (await linkMtu(ctx, link, config.nodeIp)) - vxlanOverheadBytes,
  }
  const pods = await podNetwork(ctx, { link, nft: shared.nft, dir: join(config.dataDir, 'agent', 'addresses'), podCidr: shared.podCidr, mtu: shared.mtu })
  startNetwork(parts, shared)
  await startDns(parts, shared)
  startKubelet(parts, shared, networkPort(pods, shared.podCidr), joined)
  parts.go('informers', (ctx) => informers.run(ctx))
  parts.go('identity', (ctx) => keepClientRenewed(ctx, joined.joining, joined.identity))
}

function startNetwork(parts: Group, { config, informers, link, nft, mtu }: Shared): void {
  const overlay = { nodeName: config.nodeName, device: overlayDeviceDefault, vni: vniDefault, port: config.vxlanPort, mtu }
  parts.go('network', (ctx) => runNetwork(ctx, { nodes: informers.of(nodes), link, nft, exec: systemExec, clusterCidrs: config.clusterCidrs, overlay }))
  parts.go('proxy', (ctx) =>
    runProxy(ctx, {
      services: informers.of(services),
      endpointSlices: informers.of(endpointSlices),
      serviceCidrs: informers.of(serviceCIDRs),
      nft,
      exec: systemExec,
      nodeName: config.nodeName,
      config: { clusterCidrs: config.clusterCidrs, podCidrs: [], serviceCidrs: [config.serviceCidr], ownIps: [config.clusterDns] },
      nodeAddresses: () => [config.nodeIp],
      nodes: informers.of(nodes),
    }),
  )
}

async function startDns(parts: Group, { config, informers, link, random, resolvConf }: Shared): Promise<void> {
  let upstreams = await resolversOf(resolvConf)
  parts.go('dns', (ctx) =>
    runDns(ctx, {
      services: informers.of(services),
      endpointSlices: informers.of(endpointSlices),
      namespaces: informers.of(namespaces),
      random,
      zone: { domain: config.clusterDomain, dnsIp: config.clusterDns, ttlS: zoneTtlSDefault },
      upstreams: () => upstreams,
      device: { link, name: dnsDeviceDefault },
    }),
  )
  parts.go('resolvers', async (ctx) => {
    while (!ctx.signal.aborted) {
      await ctx.clock.sleep(resolversEveryMs, ctx.signal)
      upstreams = await resolversOf(resolvConf)
    }
  })
}

function startKubelet(parts: Group, { config, client, informers, random, resolvConf }: Shared, network: PodNetwork, joined: Joined): void {
  const recorder = new Recorder(parts.ctx, client, { component: 'kubelet', host: config.nodeName }, random)
  parts.go('events', (ctx) => recorder.run(ctx))
  const [cgroups, mounts] = [systemCgroups(), systemMounts(systemExec)]
  const options: KubeletOptions = {
    client,
    informers,
    runtime: dockerRuntime({ socketPath: config.dockerSocket }),
    mounts,
    unpack: systemUnpack(systemExec),
    cgroups,
    network,
    recorder: recorderPort(recorder),
    nodeName: config.nodeName,
    hostname: config.nodeName,
    nodeIPs: () => [config.nodeIp],
    labels: config.labels,
    taints: config.taints,
    dataDir: join(config.dataDir, 'agent'),
    podsMax: config.podsMax,
    cgroupRoot,
    dns: { addresses: [config.clusterDns], domain: config.clusterDomain },
    resolvConf,
    port: config.kubeletPort,
    version: config.version,
  }
  parts.go('local storage', (ctx) => runLocalStorage(ctx, { client, informers, recorder: options.recorder, mounts, random, nodeName: config.nodeName, root: config.localStoragePath }))
  parts.go('kubelet', (ctx) => runKubelet(ctx, options, (ctx, view) => serve(ctx, view, config, { client, cgroups, ...joined })))
}

/** The kubelet's server, with a certificate that is renewed while it runs. */
async function serve(ctx: Ctx, view: KubeletView, config: AgentConfig, { client, cgroups, identity, joining }: Joined & { readonly client: Client; readonly cgroups: Cgroups }): Promise<void> {
  const clientCa = await clientAuthority(ctx, identity)
  let serving = await certificateFor(ctx, joining, identity, config)
  await using server = new Group(ctx)
  server.go('certificate', async (ctx) => {
    while (!ctx.signal.aborted) {
      await ctx.clock.sleep(certificateLookMs, ctx.signal)
      serving = await certificateFor(ctx, joining, identity, config)
    }
  })
  const tls = (): { certificate: string; key: string } => ({ certificate: serving.certificate.pem, key: serving.key.pem })
  server.go('server', (ctx) => serveKubelet(ctx, view, { port: config.kubeletPort, tls, clientCa, client, cgroups }))
  await server.wait()
}

const resolversEveryMs = 30_000
const certificateLookMs = 600_000
const askAgainMs = 5_000

/** Tries until the cluster has signed one: a control plane that is just starting has no signer yet. */
async function certificateFor(ctx: Ctx, joining: JoinOptions, identity: NodeIdentity, { nodeName, nodeIp }: AgentConfig): Promise<Identity> {
  for (;;) {
    try {
      return await servingCertificate(ctx, joining, identity, [nodeName, nodeIp])
    } catch (error) {
      ctx.signal.throwIfAborted()
      ctx.log.warn('no serving certificate yet', { error })
      await ctx.clock.sleep(askAgainMs, ctx.signal)
    }
  }
}

/** Whom the API server's client certificate comes from. */
async function clientAuthority(ctx: Ctx, identity: NodeIdentity): Promise<string> {
  for (;;) {
    try {
      const answer = await identity.api.raw(ctx, { method: 'GET', path: '/cacerts/client' })
      return await textOf(answer.body)
    } catch (error) {
      ctx.signal.throwIfAborted()
      ctx.log.warn('no client authority yet', { error })
      await ctx.clock.sleep(askAgainMs, ctx.signal)
    }
  }
}

/** agents/network in the kubelet's words. */
function networkPort(network: Awaited<ReturnType<typeof podNetwork>>, podCidr: () => string | undefined): PodNetwork {
  const protocols = { TCP: 'tcp', UDP: 'udp', SCTP: 'sctp' } as const
  return {
    attach: (ctx: Ctx, pod: PodAttachment) =>
      network.attach(ctx, {
        podUid: pod.podUid,
        namespace: pod.namespace,
        name: pod.name,
        netns: pod.netnsPath,
        hostPorts: pod.hostPorts.map((p) => ({ hostIp: p.hostIP, hostPort: p.hostPort, containerPort: p.containerPort, protocol: protocols[p.protocol] })),
      }),
    detach: (ctx, { podUid }) => network.detach(ctx, podUid),
    adopt: (ctx, live) => network.adopt(ctx, live),
    notReady: () =>
      podCidr() === undefined ? 'container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:the node has no pod range yet' : undefined,
  }
}

function recorderPort(recorder: Recorder): EventRecorder {
  return {
    event(about, type, reason, message) {
      const { kind = '', namespace, name = '', uid, resourceVersion, fieldPath = '' } = about
      const ref = { group: '', version: 'v1', kind, plural: `${kind.toLowerCase()}s`, namespaced: namespace !== undefined }
      const metadata = { name, ...(namespace === undefined ? {} : { namespace }), ...(uid === undefined ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }) }
      recorder.eventAt(ref, { metadata }, fieldPath, type, reason, message)
    },
  }
}

const mtuDefault = 1500

/** What fits through the interface that has the node's address. */
async function linkMtu(ctx: Ctx, link: Link, nodeIp: string): Promise<number> {
  const rows = await link.show(ctx, ['addr', 'show'])
  const row = rows.find((r) => (r['addr_info'] as readonly { readonly local?: string }[] | undefined)?.some((a) => a.local === nodeIp))
  const mtu = Number(row?.['mtu'] ?? mtuDefault)
  return Math.min(mtu, mtuMax)
}

/** Loopback's 65536 is no measure for what goes between nodes. */
const mtuMax = 9000

const stubResolvConf = '/run/systemd/resolve/resolv.conf'

/** Where systemd-resolved answers on loopback, pods must be told its servers instead. */
async function nodeResolvConf(): Promise<string> {
  const own = await readFile('/etc/resolv.conf', 'utf8').catch(() => formatResolvConf({ servers: [], searches: [], options: [] }))
  const servers = parseResolvConf(own).servers
  const stub = servers.length > 0 && servers.every((server) => server.startsWith('127.'))
  const there = stub && (await readFile(stubResolvConf, 'utf8').then(() => true, () => false))
  return there ? stubResolvConf : '/etc/resolv.conf'
}

async function resolversOf(path: string): Promise<readonly string[]> {
  return parseResolvConf(await readFile(path, 'utf8').catch(() => '')).servers
}
