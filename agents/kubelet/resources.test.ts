/** Quality of service, shares, quotas and control groups from requests and limits. */
import { describe, expect, it } from 'vitest'
import type { Pod } from '../../core/api/schema/types.ts'
import { cgroupParentOf, cgroupPathOf, containerResources, oomScoreOf, podResources, qosOf } from './resources.ts'

const pod = (...resources: object[]): Pod => ({ metadata: { uid: 'a-b' }, spec: { containers: resources.map((r, i) => ({ name: `c${i}`, resources: r })) } })
const full = { limits: { cpu: '500m', memory: '1Gi' } }

describe('resources', () => {
  it.each([
    ['BestEffort', pod({})],
    ['BestEffort', pod({ limits: { 'ephemeral-storage': '1Gi' } })],
    ['Burstable', pod({ requests: { cpu: '1m' } })],
    ['Burstable', pod(full, {})],
    ['Guaranteed', pod(full, full)],
    ['Burstable', pod({ ...full, requests: { cpu: '100m', memory: '1Gi' } })],
  ] as const)('a pod is %s', (qos, p) => expect(qosOf(p)).toBe(qos))

  it('turns limits into shares, quota and bytes', () => {
    expect(containerResources({ name: 'c', resources: full })).toEqual({ cpuShares: 512, cpuQuotaUs: 50_000, cpuPeriodUs: 100_000, memoryBytes: 2 ** 30 })
    expect(containerResources({ name: 'c' })).toEqual({ cpuShares: 2, cpuQuotaUs: 0, cpuPeriodUs: 100_000, memoryBytes: 0 })
  })
  it('limits a pod only where every container is limited', () => {
    expect(podResources(pod(full, full))).toMatchObject({ cpuShares: 1024, cpuQuotaUs: 100_000, memoryBytes: 2 ** 31 })
    expect(podResources(pod(full, {}))).toMatchObject({ cpuQuotaUs: 0, memoryBytes: 0 })
  })
  it('names control groups for both drivers', () => {
    expect(cgroupParentOf(pod({}), 'kubepods', 'cgroupfs')).toBe('/kubepods/besteffort/poda-b')
    expect(cgroupParentOf(pod(full), 'kubepods', 'systemd')).toBe('kubepods-poda_b.slice')
    expect(cgroupPathOf(pod(full), 'kubepods', 'systemd')).toBe('/kubepods.slice/kubepods-poda_b.slice')
  })
  it('kills what promised least first', () => {
    const scores = [pod(full), pod({ requests: { memory: '1Gi' } }), pod({})].map((p) => oomScoreOf(p, p.spec!.containers[0]!, 4 * 2 ** 30))
    expect(scores).toEqual([-997, 750, 1000])
  })
})
