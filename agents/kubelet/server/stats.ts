/** What pods and the node use: /stats/summary and /metrics/resource, read from control groups. */
import { statfs } from 'node:fs/promises'
import type { Ctx } from '../../../core/lib/ctx.ts'
import { formatTime } from '../../../core/api/time.ts'
import type { Cgroups, GroupUsage } from '../../host/cgroups.ts'
import type { KubeletView } from '../kubelet.ts'
import { containerNameOf } from '../labels.ts'
import type { ObservedPod } from '../observe.ts'

interface Sample {
  readonly cpuNs: number
  readonly atMs: number
}

export interface Stats {
  summary(ctx: Ctx): Promise<unknown>
  /** Prometheus text. */
  resource(ctx: Ctx): Promise<string>
}

interface ContainerUse {
  readonly pod: ObservedPod
  readonly name: string
  readonly startedMs: number
  readonly usage: GroupUsage
  readonly id: string
}

export function createStats(view: KubeletView, cgroups: Cgroups): Stats {
  const samples = new Map<string, Sample>()
  /** Nanoseconds of CPU a second since the last time somebody asked. */
  const rate = (key: string, cpuNs: number, atMs: number): number => {
    const before = samples.get(key)
    if (before === undefined || atMs - before.atMs >= sampleMsMin) samples.set(key, { cpuNs, atMs })
    if (before === undefined || atMs <= before.atMs) return 0
    return Math.max(0, Math.round(((cpuNs - before.cpuNs) * 1000) / (atMs - before.atMs)))
  }
  const containers = async (): Promise<ContainerUse[]> => {
    const running = view.deps.observer.pods().flatMap((pod) => pod.containers.filter((c) => c.state === 'running').map((c) => ({ pod, c })))
    const alive = new Set(['', ...running.map(({ c }) => c.id)])
    for (const id of samples.keys()) if (!alive.has(id)) samples.delete(id)
    const used = await Promise.all(running.map(async ({ pod, c }) => ({ pod, name: containerNameOf(c), startedMs: c.startedMs, id: c.id, usage: await cgroups.usage(c.pid) })))
    return used.flatMap((u) => (u.usage === undefined ? [] : [{ ...u, usage: u.usage }]))
  }
  return {
    async summary(ctx) {
      const now = ctx.clock.now()
      const [used, machine, disk] = await Promise.all([containers(), cgroups.machine(), statfs(view.deps.podsDir)])
      const cpuAndMemory = (key: string, u: GroupUsage): object => ({
        cpu: { time: formatTime(now), usageNanoCores: rate(key, u.cpuNs, now), usageCoreNanoSeconds: u.cpuNs },
        memory: { time: formatTime(now), usageBytes: u.memoryBytes, workingSetBytes: u.workingSetBytes },
      })
      const pods = view.deps.observer.pods().map((pod) => {
        const mine = used.filter((u) => u.pod.uid === pod.uid)
        const sum = (read: (u: GroupUsage) => number): number => mine.reduce((total, u) => total + read(u.usage), 0)
        const total = { cpuNs: sum((u) => u.cpuNs), memoryBytes: sum((u) => u.memoryBytes), workingSetBytes: sum((u) => u.workingSetBytes) }
        const each = mine.map((u) => ({ name: u.name, startTime: formatTime(u.startedMs), ...cpuAndMemory(u.id, u.usage) }))
        const nanoCores = each.reduce((n, c) => n + ((c as { cpu?: { usageNanoCores?: number } }).cpu?.usageNanoCores ?? 0), 0)
        return {
          podRef: { name: pod.name, namespace: pod.namespace, uid: pod.uid },
          startTime: formatTime(pod.sandboxes[0]?.startedMs ?? now),
          containers: each,
          cpu: { time: formatTime(now), usageNanoCores: nanoCores, usageCoreNanoSeconds: total.cpuNs },
          memory: { time: formatTime(now), usageBytes: total.memoryBytes, workingSetBytes: total.workingSetBytes },
        }
      })
      const size = disk.bsize
      const fs = { time: formatTime(now), availableBytes: disk.bavail * size, capacityBytes: disk.blocks * size, usedBytes: (disk.blocks - disk.bfree) * size, inodesFree: disk.ffree, inodes: disk.files, inodesUsed: disk.files - disk.ffree }
      return { node: { nodeName: view.deps.node.name, startTime: formatTime(now), ...cpuAndMemory('', machine), fs, runtime: { imageFs: fs } }, pods }
    },
    async resource(ctx) {
      const [used, machine] = await Promise.all([containers(), cgroups.machine()])
      const now = Math.floor(ctx.clock.now())
      const lines: string[] = []
      const family = (name: string, type: string, rows: readonly (readonly [string, number])[]): void => {
        lines.push(`# TYPE ${name} ${type}`, ...rows.map(([labels, value]) => `${name}${labels} ${value} ${now}`))
      }
      const of = (u: ContainerUse): string => `{container="${u.name}",namespace="${u.pod.namespace}",pod="${u.pod.name}"}`
      family('container_cpu_usage_seconds_total', 'counter', used.map((u) => [of(u), u.usage.cpuNs / 1e9]))
      family('container_memory_working_set_bytes', 'gauge', used.map((u) => [of(u), u.usage.workingSetBytes]))
      family('container_start_time_seconds', 'gauge', used.map((u) => [of(u), u.startedMs / 1000]))
      family('node_cpu_usage_seconds_total', 'counter', [['', machine.cpuNs / 1e9]])
      family('node_memory_working_set_bytes', 'gauge', [['', machine.workingSetBytes]])
      return `${lines.join('\n')}\n`
    },
  }
}

/** Shorter intervals would make the rate jump. */
const sampleMsMin = 5_000
