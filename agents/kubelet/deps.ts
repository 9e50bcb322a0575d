/** Everything a pod's worker works with, made once by kubelet.ts. */
import type { Service } from '../../core/api/schema/types.ts'
import type { Client } from '../../core/client/client.ts'
import type { Group } from '../../core/lib/group.ts'
import type { Cgroups } from '../host/cgroups.ts'
import type { Mounts } from '../host/mounts.ts'
import type { Runtime } from '../host/runtime.ts'
import type { Unpack } from '../host/unpack.ts'
import type { Backoff } from './backoff.ts'
import type { ClusterDns } from './files.ts'
import type { Images } from './images.ts'
import type { ObjectSource } from './objects.ts'
import type { Observer } from './observe.ts'
import type { EventRecorder, PodNetwork } from './ports.ts'
import type { Prober } from './probes/prober.ts'
import type { Records } from './resize/records.ts'
import type { Resizes } from './resize/resizes.ts'
import type { Statuses } from './statuses.ts'
import type { TokenSource } from './tokens.ts'

/** What is known of the node once it has started. */
export interface NodeFacts {
  readonly name: string
  readonly hostIPs: readonly string[]
  readonly allocatable: Readonly<Record<string, string>>
  readonly machineBytes: number
  readonly cgroupDriver: 'cgroupfs' | 'systemd'
}

export interface PodDeps {
  readonly group: Group
  readonly client: Client
  readonly runtime: Runtime
  readonly mounts: Mounts
  readonly unpack: Unpack
  readonly cgroups: Cgroups
  readonly network: PodNetwork
  /** Addresses of pods that were attached before this Kubun started; a worker takes its own out. */
  readonly adopted: Map<string, readonly string[]>
  readonly recorder: EventRecorder
  readonly images: Images
  readonly objects: ObjectSource
  readonly tokens: TokenSource
  readonly prober: Prober
  readonly observer: Observer
  readonly statuses: Statuses
  readonly restarts: Backoff
  readonly resizes: Resizes
  readonly records: Records
  readonly services: () => readonly Readonly<Service>[]
  readonly node: NodeFacts
  readonly podsDir: string
  readonly seccompDir: string
  readonly cgroupRoot: string
  readonly dns: ClusterDns
  /** The node's resolv.conf, whose servers pods with dnsPolicy Default get. */
  readonly resolvConf: string
}
