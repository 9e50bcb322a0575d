/** Resources and layers in Docker's words and back. */
import { describe, expect, it } from 'vitest'
import { layersOf } from './layers.ts'
import { limits, resourcesOf } from './resources.ts'

describe('resources', () => {
  it.each([
    [{ cpuShares: 102, cpuQuotaUs: 10_000, cpuPeriodUs: 100_000, memoryBytes: 2 ** 26 }, { CpuShares: 102, CpuQuota: 10_000, CpuPeriod: 100_000, Memory: 2 ** 26, MemorySwap: 2 ** 26 }],
    [{ cpuShares: 2, cpuQuotaUs: 0, cpuPeriodUs: 100_000, memoryBytes: 0 }, { CpuShares: 2 }],
  ])('%j are %j, and back', (resources, config) => {
    expect(limits(resources)).toEqual(config)
    expect(resourcesOf(config)).toEqual(resources)
  })
  it('have no limit where Docker says -1', () => expect(resourcesOf({ CpuShares: 2, CpuQuota: -1, CpuPeriod: 0, Memory: -1 })).toMatchObject({ cpuQuotaUs: 0, memoryBytes: 0 }))
})

describe('layersOf()', () => {
  it.each([
    [{ Name: 'overlay2', Data: { UpperDir: '/c', LowerDir: '/b:/a' } }, ['/c', '/b', '/a']],
    [{ Name: 'overlay2', Data: { UpperDir: '/a' } }, ['/a']],
    [{ Name: 'btrfs', Data: {} }, undefined],
    [{ Name: 'overlayfs', Data: null }, undefined],
    [undefined, undefined],
  ] as const)('%j', (driver, want) => expect(layersOf(driver)).toEqual(want))
})
