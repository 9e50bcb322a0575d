/** What the node says of its machine: capacity, names and versions, read from the kernel's files. */
import { readFile, statfs } from 'node:fs/promises'
import { arch, availableParallelism, release } from 'node:os'
import type { NodeSystemInfo } from '../../core/api/schema/types.ts'
import type { RuntimeInfo } from '../host/runtime.ts'
import type { Arch } from './pause.ts'

export interface Machine {
  readonly arch: Arch
  readonly memoryBytes: number
  readonly capacity: Readonly<Record<string, string>>
  readonly allocatable: Readonly<Record<string, string>>
  readonly info: NodeSystemInfo
}

export interface MachineOptions {
  readonly dataDir: string
  readonly podsMax: number
  readonly version: string
}

/** Part of the disk that stays free for the node itself: upstream's hard eviction threshold nodefs.available. */
const diskShare = 0.9
/** And of memory: memory.available<100Mi. */
const memoryKept = 100 * 2 ** 20

export async function readMachine(options: MachineOptions, runtime: RuntimeInfo): Promise<Machine> {
  const text = (path: string): Promise<string> => readFile(path, 'utf8').then((t) => t.trim(), () => '')
  const [meminfo, os, machineID, systemUUID, bootID] = await Promise.all(
    ['/proc/meminfo', '/etc/os-release', '/etc/machine-id', '/sys/class/dmi/id/product_uuid', '/proc/sys/kernel/random/boot_id'].map(text),
  )
  const disk = await statfs(options.dataDir)
  const diskBytes = disk.blocks * disk.bsize
  const memoryBytes = Number(/^MemTotal:\s+(\d+)/m.exec(meminfo ?? '')?.[1] ?? 0) * 1024
  const named = arch() === 'arm64' ? 'arm64' : 'amd64'
  const common = { cpu: String(availableParallelism()), 'hugepages-1Gi': '0', 'hugepages-2Mi': '0', pods: String(options.podsMax) }
  return {
    arch: named,
    memoryBytes,
    capacity: { ...common, 'ephemeral-storage': `${Math.floor(diskBytes / 1024)}Ki`, memory: `${Math.floor(memoryBytes / 1024)}Ki` },
    allocatable: {
      ...common,
      'ephemeral-storage': String(Math.floor(diskBytes * diskShare)),
      memory: `${Math.floor((memoryBytes - memoryKept) / 1024)}Ki`,
    },
    info: {
      architecture: named,
      bootID: bootID ?? '',
      containerRuntimeVersion: `${runtime.name}://${runtime.version}`,
      kernelVersion: release(),
      kubeProxyVersion: '',
      kubeletVersion: options.version,
      machineID: machineID ?? '',
      operatingSystem: 'linux',
      osImage: /^PRETTY_NAME="?([^"\n]*)"?/m.exec(os ?? '')?.[1] ?? 'Linux',
      systemUUID: systemUUID ?? '',
    },
  }
}
