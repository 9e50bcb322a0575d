/**
 * Takes a node's traces off the machine: containers of pods, their mounts, devices,
 * addresses, nftables tables and firewall rules. The node must not be running. What
 * is not there is passed over, so it can be called again after a failure.
 */
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Ctx } from '../core/lib/ctx.ts'
import { dnsDeviceDefault, removeDnsDevice } from './dns/device.ts'
import { systemCgroups } from './host/cgroups.ts'
import { dockerRuntime } from './host/docker.ts'
import { systemExec } from './host/exec.ts'
import { createLink } from './host/link.ts'
import { systemMounts } from './host/mounts.ts'
import { createNft } from './host/nft.ts'
import { label } from './kubelet/labels.ts'
import { cgroupPathsOf, cgroupRoot } from './kubelet/resources.ts'
import { removeNetwork } from './network/network.ts'
import { overlayDeviceDefault, vniDefault, vxlanPortDefault } from './network/overlay.ts'
import { podNetwork } from './network/pods.ts'
import { removeProxy } from './proxy/proxy.ts'

export interface UninstallConfig {
  readonly dataDir: string
  readonly dockerSocket: string
  readonly nodeName: string
  readonly clusterCidrs: readonly string[]
}

/** Says how many containers went. */
export async function uninstallNode(ctx: Ctx, config: UninstallConfig): Promise<number> {
  const dir = join(config.dataDir, 'agent')
  const [link, nft, mounts] = [createLink(systemExec), createNft(systemExec), systemMounts(systemExec)]
  const runtime = dockerRuntime({ socketPath: config.dockerSocket })
  const containers = await runtime.containers(ctx, { [label.node]: config.nodeName })
  for (const { id } of containers) await runtime.remove(ctx, id)
  const [{ cgroupDriver }, cgroups] = [await runtime.info(ctx), systemCgroups()]
  const folders = await readdir(join(dir, 'pods')).catch(() => [])
  for (const uid of new Set([...containers.map((c) => c.labels[label.podUid] ?? ''), ...folders])) {
    for (const path of uid === '' ? [] : cgroupPathsOf(uid, cgroupRoot, cgroupDriver)) await cgroups.remove(ctx, path)
  }
  for (const point of await mounts.under(ctx, dir)) await mounts.unmount(ctx, point)
  const pods = await podNetwork(ctx, { link, nft, dir: join(dir, 'addresses'), podCidr: () => undefined, mtu: 1_500 })
  await pods.removeAll(ctx)
  const overlay = { nodeName: config.nodeName, device: overlayDeviceDefault, vni: vniDefault, port: vxlanPortDefault, mtu: 1_450 }
  await removeNetwork(ctx, { link, nft, exec: systemExec, clusterCidrs: config.clusterCidrs, overlay })
  await removeProxy(ctx, nft)
  await removeDnsDevice(ctx, link, dnsDeviceDefault)
  await rm(dir, { recursive: true, force: true })
  return containers.length
}
