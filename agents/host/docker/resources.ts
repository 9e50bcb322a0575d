/** Resources of a container in Docker's words, and back. Pure. What an update does not name stays; no limit can be taken away. */
import type { HostConfig } from 'dockerode'
import type { ContainerResources } from '../runtime.ts'

type Limits = Pick<HostConfig, 'CpuShares' | 'CpuQuota' | 'CpuPeriod' | 'Memory' | 'MemorySwap'>

/** For a container, a new one or one that runs. No swap: memory and swap together are the memory. */
export function limits(r: ContainerResources): Limits {
  return {
    CpuShares: r.cpuShares,
    ...(r.cpuQuotaUs > 0 ? { CpuQuota: r.cpuQuotaUs, CpuPeriod: r.cpuPeriodUs } : {}),
    ...(r.memoryBytes > 0 ? { Memory: r.memoryBytes, MemorySwap: r.memoryBytes } : {}),
  }
}

/** What a container has. Docker's period is 0 where it was never told one. */
export function resourcesOf(config: Limits): ContainerResources {
  const { CpuShares = 0, CpuQuota = 0, CpuPeriod = 0, Memory = 0 } = config
  return { cpuShares: CpuShares, cpuQuotaUs: Math.max(0, CpuQuota), cpuPeriodUs: CpuPeriod > 0 ? CpuPeriod : defaultPeriodUs, memoryBytes: Math.max(0, Memory) }
}

const defaultPeriodUs = 100_000
