/**
 * Addresses of this node's pods: who has which, in one small file a pod under a
 * folder that is handed in, written whole and renamed. Survives restarts; what
 * no pod owns any more is released by whoever knows the pods (pods.ts, adopt).
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { addressAt, contains, parseCidr, parseIp, sizeOf, type Cidr } from '../../core/lib/ip.ts'

export interface HostPort {
  /** '' or undefined: every address of the node. */
  readonly hostIp?: string
  readonly hostPort: number
  readonly containerPort: number
  readonly protocol: 'tcp' | 'udp' | 'sctp'
}

export interface Lease {
  readonly podUid: string
  readonly namespace: string
  readonly name: string
  readonly ip: string
  readonly device: string
  readonly hostPorts: readonly HostPort[]
  /** Its pod is not connected yet: who finds this after a restart must not trust the device. */
  readonly pending?: boolean
}

/** Addresses left alone at the start of a node's range: the network's own (the overlay's) and one for a gateway. */
const reservedFirst = 2
/** And at its end: the broadcast address. */
const reservedLast = 1

export class Addresses {
  readonly #dir: string
  readonly #leases: Map<string, Lease>
  /** Where the last search ended: addresses are reused as late as can be. */
  #next = 0

  private constructor(dir: string, leases: Map<string, Lease>) {
    this.#dir = dir
    this.#leases = leases
  }

  static async open(dir: string): Promise<Addresses> {
    await mkdir(dir, { recursive: true, mode: 0o700 })
    const leases = new Map<string, Lease>()
    for (const file of await readdir(dir)) {
      const lease = file.endsWith('.json') ? readLease(await readFile(join(dir, file), 'utf8')) : undefined
      // Half-written files of a power cut: their pods' devices are gone with the kernel that had them.
      if (lease === undefined || `${lease.podUid}.json` !== file) await rm(join(dir, file), { force: true, recursive: true })
      else leases.set(lease.podUid, lease)
    }
    return new Addresses(dir, leases)
  }

  all(): readonly Lease[] {
    return [...this.#leases.values()]
  }

  get(podUid: string): Lease | undefined {
    return this.#leases.get(podUid)
  }

  /** Gives the pod an address of the range, or the one it has; undefined when the range is full. */
  async take(podCidr: string, pod: Omit<Lease, 'ip'>): Promise<Lease | undefined> {
    const cidr = parseCidr(podCidr)
    if (cidr === undefined || cidr.family !== 4) throw new Error(`pod range ${podCidr} is not an IPv4 range`)
    const known = this.#leases.get(pod.podUid)
    const ip = known !== undefined && inRange(cidr, known.ip) ? known.ip : this.#free(cidr)
    if (ip === undefined) return undefined
    const lease = { ...pod, ip, pending: true }
    await this.#keep(lease)
    return lease
  }

  /** The pod is connected. */
  async settle({ pending: _pending, ...lease }: Lease): Promise<void> {
    await this.#keep(lease)
  }

  async #keep(lease: Lease): Promise<void> {
    this.#leases.set(lease.podUid, lease) // before the wait: nobody else gets it
    const file = join(this.#dir, `${lease.podUid}.json`)
    await writeFile(`${file}.new`, JSON.stringify(lease), { mode: 0o600 })
    await rename(`${file}.new`, file)
  }

  async release(podUid: string): Promise<void> {
    this.#leases.delete(podUid)
    await rm(join(this.#dir, `${podUid}.json`), { force: true })
  }

  #free(cidr: Cidr): string | undefined {
    const count = Number(sizeOf(cidr)) - reservedFirst - reservedLast
    const used = new Set(this.all().map((lease) => lease.ip))
    for (let tried = 0; tried < count; tried++) {
      const ip = addressAt(cidr, reservedFirst + ((this.#next + tried) % count))
      if (used.has(ip)) continue
      this.#next = (this.#next + tried + 1) % count
      return ip
    }
    return undefined
  }
}

function inRange(cidr: Cidr, ip: string): boolean {
  const parsed = parseIp(ip)
  return parsed !== undefined && contains(cidr, parsed)
}

function readLease(text: string): Lease | undefined {
  try {
    const lease = JSON.parse(text) as Lease
    return typeof lease.podUid === 'string' && typeof lease.device === 'string' && parseIp(lease.ip) !== undefined && Array.isArray(lease.hostPorts) ? lease : undefined
  } catch {
    return undefined
  }
}
