/**
 * Addresses of Services: every Service's address has its IPAddress, and none that no Service has stays for long. Giving
 * them out is admission's (core/admission/services); what is to be done about one is repair.ts. Upstream's API server does
 * it itself.
 */
import { services } from '../../api/core/service.ts'
import { isApiError } from '../../api/errors.ts'
import { keyOf } from '../../api/meta.ts'
import { iPAddresses } from '../../api/networking/ipaddress.ts'
import { serviceCIDRs } from '../../api/networking/servicecidr.ts'
import { addressFor } from '../../api/networking/serviceranges.ts'
import type { Service } from '../../api/schema/types.ts'
import { formatIp, parseIp } from '../../lib/ip.ts'
import { type Controller, serverIdentity } from '../controller.ts'
import { decideRepair } from './repair.ts'

const addressIndex = 'address'
const defaultRange = 'kubernetes'

export const serviceAddresses: Controller = {
  name: 'ipallocator-repair-controller',
  identity: serverIdentity,
  workers: 5,
  setUp(env) {
    const informer = env.informers.of(services)
    informer.addIndex(addressIndex, addressesOf)
    const lister = env.watch(services, addressesOf)
    const have = env.watch(iPAddresses, (address) => [address.metadata.name ?? ''])
    const ranges = env.read(serviceCIDRs)
    /** Given back by a Service that is gone, or has another type now. */
    const released = new Set<string>()
    const release = (service: Readonly<Service>, still: readonly string[] = []): void => addressesOf(service).filter((address) => !still.includes(address)).forEach((address) => released.add(address))
    informer.on({ deleted: (service) => release(service), updated: (next, prev) => release(prev, addressesOf(next)) })
    env.informers.of(serviceCIDRs).on({ added: () => lister.list().flatMap(addressesOf).forEach(env.queue.add.bind(env.queue)) })

    return async (ctx, address, client) => {
      if (ranges.at(defaultRange) === undefined) return // before the first range nothing can be said
      const at = { namespace: '', name: address }
      const owners = informer.lister.by(addressIndex, address)
      // The lister of addresses may be behind that of Services: only what is not there at all is missing.
      const shown = have.at(address) ?? (owners.length > 0 || released.has(address) ? await client.get(ctx, iPAddresses, at) : undefined)
      const { namespace = '', name = '' } = shown?.spec?.parentRef ?? {}
      const repair = decideRepair({
        address, owners, have: shown, ranges: ranges.list(), released: released.has(address), nowMs: env.clock.now(),
        parent: lister.get({ namespace, name }),
      })
      for (const { about, reason, message } of repair.complaints) {
        if (about !== undefined) env.recorder.event(services, about, 'Warning', reason, message)
        else if (shown !== undefined) env.recorder.event(iPAddresses, shown, 'Warning', reason, message)
      }
      if (repair.remove) await gone(client.delete(ctx, iPAddresses, at, shown?.metadata.uid === undefined ? {} : { preconditions: { uid: shown.metadata.uid } }))
      released.delete(address)
      if (repair.make !== undefined) await client.create(ctx, iPAddresses, addressFor(address, keyOf(repair.make)))
      if (repair.againMs !== undefined) env.queue.after(address, repair.againMs)
    }
  },
}

/** Somebody else has it by now: then it is not ours to take away. */
async function gone(deletion: Promise<boolean>): Promise<void> {
  try {
    await deletion
  } catch (error) {
    if (!isApiError(error, 'Conflict')) throw error
  }
}

function addressesOf({ spec }: Readonly<Service>): readonly string[] {
  if (spec?.type === 'ExternalName') return []
  const addresses = spec?.clusterIPs ?? (spec?.clusterIP === undefined ? [] : [spec.clusterIP])
  return addresses.map(parseIp).filter((ip) => ip !== undefined).map(formatIp)
}
