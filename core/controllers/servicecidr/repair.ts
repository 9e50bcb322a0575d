/**
 * What is to be done about one address of Services, whatever happened to it: who has it, and which IPAddress says so, are
 * looked at together (upstream's ipallocator/controller/repairip.go). Pure.
 */
import { familyOf, hasOwnLabels, isManaged, isServiceAddress, rangesOf } from '../../api/networking/serviceranges.ts'
import { keyOf, keyText } from '../../api/meta.ts'
import type { IPAddress, Service, ServiceCIDR } from '../../api/schema/types.ts'
import { parseTime } from '../../api/time.ts'

/** A Service comes after its address: as long as a request may take. */
const onItsWayMs = 60_000
/** A Service that was refused in the store loses its address in this time. */
const takenBackMs = 5_000

export interface AddressSituation {
  readonly address: string
  readonly have: Readonly<IPAddress> | undefined
  /** Services with this address. */
  readonly owners: readonly Readonly<Service>[]
  /** The Service that the IPAddress names. */
  readonly parent: Readonly<Service> | undefined
  readonly ranges: readonly Readonly<ServiceCIDR>[]
  /** A Service has just given it back. */
  readonly released: boolean
  readonly nowMs: number
}

export interface Complaint {
  /** Undefined: the IPAddress itself. */
  readonly about: Readonly<Service> | undefined
  readonly reason: string
  readonly message: string
}

export interface Repair {
  readonly complaints: readonly Complaint[]
  /** The IPAddress goes; `make` comes after it. */
  readonly remove: boolean
  /** Whose it is to be. */
  readonly make: Readonly<Service> | undefined
  /** To be looked at again. */
  readonly againMs: number | undefined
}

const nothing: Repair = { complaints: [], remove: false, make: undefined, againMs: undefined }

export function decideRepair(situation: AddressSituation): Repair {
  const { address, have, owners, ranges, released } = situation
  const inRange = rangesOf(ranges, address).length > 0
  const [first, ...rest] = owners.toSorted((a, b) => ((a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? -1 : 1))
  if (first === undefined) return have === undefined || !isManaged(have) ? nothing : released ? { ...nothing, remove: true } : unowned(situation, have)
  const about = (service: Readonly<Service>, reason: string, message: string): Complaint => ({ about: service, reason, message })
  const where = `Cluster IP [${familyOf(address)}]: ${address}`
  if (!inRange) return { ...nothing, complaints: owners.map((service) => about(service, 'ClusterIPOutOfRange', `${where} is not within any configured Service CIDR; please recreate service`)) }
  const holder = have === undefined ? undefined : owners.find((service) => isServiceAddress(have, keyOf(service)))
  const twice = (holder === undefined ? rest : owners.filter((service) => service !== holder)).map((service) =>
    about(service, 'ClusterIPAlreadyAllocated', `Cluster IP [${familyOf(address)}]:${address} was assigned to multiple services; please recreate service`),
  )
  if (have === undefined) return { ...nothing, complaints: [about(first, 'ClusterIPNotAllocated', `${where} is not allocated; repairing`), ...twice], make: first }
  if (holder === undefined) {
    const wrong = about(first, 'ClusterIPNotAllocated', `the ClusterIP [${familyOf(address)}]: ${address} for Service ${keyText(keyOf(first))} has a wrong reference; repairing`)
    return { ...nothing, complaints: [wrong, ...twice], remove: true, make: first }
  }
  return hasOwnLabels(have) ? { ...nothing, complaints: twice } : { ...nothing, complaints: twice, remove: true, make: holder }
}

/** An address that no Service has: on its way to one, or left behind. */
function unowned({ parent, nowMs }: AddressSituation, have: Readonly<IPAddress>): Repair {
  const { name } = have.metadata
  const { group = '', resource, namespace = '', name: parentName } = have.spec?.parentRef ?? { resource: '', name: '' }
  const remove = (reason: string, message: string): Repair => ({ ...nothing, complaints: [{ about: undefined, reason, message }], remove: true })
  if (group !== '' || resource !== 'services') {
    return remove('IPAddressNotAllocated', `IPAddress ${name} appears to have been modified, not referencing a Service &ParentReference{Group:${group},Resource:${resource},Namespace:${namespace},Name:${parentName},}: cleaning up`)
  }
  const madeMs = parseTime(have.metadata.creationTimestamp ?? '') ?? 0
  const waitMs = (forMs: number): number => Math.max(0, madeMs + forMs - nowMs)
  const service = `${namespace}/${parentName}`
  if (parent === undefined) {
    const againMs = waitMs(onItsWayMs)
    return againMs > 0 ? { ...nothing, againMs } : remove('IPAddressNotAllocated', `IPAddress: ${name} for Service ${service} appears to have leaked: cleaning up`)
  }
  const isNewer = madeMs > (parseTime(parent.metadata.creationTimestamp ?? '') ?? 0)
  const againMs = parent.spec?.type === 'ExternalName' ? waitMs(onItsWayMs) : isNewer ? waitMs(takenBackMs) : 0
  return againMs > 0 ? { ...nothing, againMs } : remove('IPAddressWrongReference', `IPAddress: ${name} for Service ${service} has a wrong reference; cleaning up`)
}
