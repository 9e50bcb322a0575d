/**
 * The address of the cluster's DNS on a device of this node's own, so that a
 * question never leaves the node and waits for nobody: no proxy, no pod. Stays
 * when Kubun stops; removeDnsDevice() takes it away.
 */
import type { Ctx } from '../../core/lib/ctx.ts'
import type { Link } from '../host/link.ts'

export const dnsDeviceDefault = 'kubun-dns'

export async function ensureDnsDevice(ctx: Ctx, link: Link, dns: { readonly device: string; readonly ip: string }): Promise<void> {
  const { device, ip } = dns
  const [have] = await link.show(ctx, ['link', 'show', 'dev', device])
  // Kernels without dummy devices have bridges; one without ports does as well.
  if (have === undefined) await link.ip(ctx, [`link add ${device} type dummy`]).catch(() => link.ip(ctx, [`link add ${device} type bridge`]))
  const held = (await link.show(ctx, ['-4', 'addr', 'show', 'dev', device])).flatMap((row) => (row['addr_info'] as { local?: string }[] | undefined) ?? [])
  await link.ip(ctx, [
    ...held.flatMap(({ local }) => (local === undefined || local === ip ? [] : [`addr delete ${local}/32 dev ${device}`])),
    // Scope link: nobody else's connections choose it as their source.
    `addr replace ${ip}/32 dev ${device} scope link`,
    `link set ${device} up`,
  ])
}

export async function removeDnsDevice(ctx: Ctx, link: Link, device: string): Promise<void> {
  await link.ip(ctx, [`link delete ${device}`], { force: true })
}
