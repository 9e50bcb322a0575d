/** Resources of a container in Docker's words, and back. Pure. In an update 0 means "as it is", -1 takes a limit away. */
import type { HostConfig } from 'dockerode'
import type { ContainerResources } from '../runtime.ts'

type Limits = Pick<HostConfig, 'CpuShares' | 'CpuQuota' | 'CpuPeriod' | 'Memory' | 'MemorySwap'>

/** For a new container. No swap: memory and swap together are the memory. */
export function limits(r: ContainerResources): Limits {
  return {
    CpuShares: r.cpuShares,
    ...(r.cpuQuotaUs > 0 ? { CpuQuota: r.cpuQuotaUs, CpuPeriod: r.cpuPeriodUs } : {}),
    ...(r.memoryBytes > 0 ? { Memory: r.memoryBytes, MemorySwap: r.memoryBytes } : {}),
  }
}

/** For one that runs. */
export function updateOptions(r: ContainerResources): Limits {
  return { CpuQuota: -1, Memory: -1, MemorySwap: -1, ...limits(r) }
}

/** What a container has. Docker's period is 0 where it was never told one. */
export function resourcesOf(config: Limits): ContainerResources {
  const { CpuShares = 0, CpuQuota = 0, CpuPeriod = 0, Memory = 0 } = config
  return { cpuShares: CpuShares, cpuQuotaUs: Math.max(0, CpuQuota), cpuPeriodUs: CpuPeriod > 0 ? CpuPeriod : defaultPeriodUs, memoryBytes: Math.max(0, Memory) }
}

const defaultPeriodUs = 100_000
