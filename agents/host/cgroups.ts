/**
 * Control groups of the machine, version 1 and 2: limits of a pod's parent group,
 * and what a process's group uses. Docker makes the groups; this only reads and
 * sets values. A value that cannot be read is 0, a limit that cannot be set is logged.
 */
import { mkdir, readFile, readdir, rmdir, writeFile } from 'node:fs/promises'
import type { Ctx } from '../../core/lib/ctx.ts'

export interface GroupLimits {
  readonly cpuShares: number
  /** 0: none. */
  readonly cpuQuotaUs: number
  readonly cpuPeriodUs: number
  readonly memoryBytes: number
}

export interface GroupUsage {
  /** CPU time since the group exists. */
  readonly cpuNs: number
  readonly memoryBytes: number
  /** What cannot be reclaimed at once: usage without inactive file pages. */
  readonly workingSetBytes: number
}

export interface Cgroups {
  version(): Promise<1 | 2>
  /** Makes the group `path` (absolute, as a Docker cgroup parent) and sets its limits. */
  ensure(ctx: Ctx, path: string, limits: GroupLimits): Promise<void>
  remove(ctx: Ctx, path: string): Promise<void>
  /** undefined: the process is gone. */
  usage(pid: number): Promise<GroupUsage | undefined>
  /** Usage of the whole machine. */
  machine(): Promise<GroupUsage>
}

const root = '/sys/fs/cgroup'

export function systemCgroups(): Cgroups {
  let known: 1 | 2 | undefined
  const version = async (): Promise<1 | 2> => (known ??= (await exists(`${root}/cgroup.controllers`)) ? 2 : 1)
  return {
    version,
    async ensure(ctx, path, limits) {
      const set = async (file: string, value: string): Promise<void> => {
        await writeFile(file, value).catch((error: unknown) => ctx.log.debug('cgroup limit not set', { file, value, error }))
      }
      if ((await version()) === 1) return ensureV1(path, limits, set)
      await enableControllers(path, set)
      await set(`${root}${path}/cpu.weight`, String(weightOf(limits.cpuShares)))
      await set(`${root}${path}/cpu.max`, `${limits.cpuQuotaUs > 0 ? limits.cpuQuotaUs : 'max'} ${limits.cpuPeriodUs}`)
      await set(`${root}${path}/memory.max`, limits.memoryBytes > 0 ? String(limits.memoryBytes) : 'max')
    },
    async remove(_ctx, path) {
      // In version 1 each hierarchy has the group, also the named ones and, on hybrid machines, version 2's.
      const at = (await version()) === 2 ? [`${root}${path}`] : (await readdir(root)).map((hierarchy) => `${root}/${hierarchy}${path}`)
      for (const folder of at) await rmdir(folder).catch(() => undefined) // still busy, or never there
    },
    async usage(pid) {
      const groups = await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => undefined)
      if (groups === undefined) return undefined
      return (await version()) === 2 ? usageV2(groupOf(groups, '')) : usageV1(groupOf(groups, 'cpuacct'), groupOf(groups, 'memory'))
    },
    machine: machineUsage,
  }
}

async function ensureV1(path: string, limits: GroupLimits, set: (file: string, value: string) => Promise<void>): Promise<void> {
  await Promise.all(['cpu', 'memory'].map((c) => mkdir(`${root}/${c}${path}`, { recursive: true }).catch(() => undefined)))
  await set(`${root}/cpu${path}/cpu.shares`, String(Math.max(2, limits.cpuShares)))
  await set(`${root}/cpu${path}/cpu.cfs_period_us`, String(limits.cpuPeriodUs))
  await set(`${root}/cpu${path}/cpu.cfs_quota_us`, String(limits.cpuQuotaUs > 0 ? limits.cpuQuotaUs : -1))
  await set(`${root}/memory${path}/memory.limit_in_bytes`, String(limits.memoryBytes > 0 ? limits.memoryBytes : -1))
}

/** In version 2 a group's files appear when each parent hands its controllers down. */
async function enableControllers(path: string, set: (file: string, value: string) => Promise<void>): Promise<void> {
  await mkdir(`${root}${path}`, { recursive: true })
  const steps = path.split('/').filter((step) => step !== '')
  for (let i = 0; i < steps.length; i++) {
    const parent = ['', ...steps.slice(0, i)].join('/')
    await set(`${root}${parent}/cgroup.subtree_control`, '+cpu +memory +pids')
  }
}

/** runc's mapping of cpu.shares (2..262144) to cpu.weight (1..10000). */
export function weightOf(shares: number): number {
  return 1 + Math.floor(((Math.max(2, shares) - 2) * 9999) / 262142)
}

function groupOf(lines: string, controller: string): string {
  for (const line of lines.split('\n')) {
    const [, names = '', ...path] = line.split(':')
    if (controller === '' ? names === '' : names.split(',').includes(controller)) return path.join(':')
  }
  return ''
}

async function usageV1(cpu: string, memory: string): Promise<GroupUsage> {
  const at = `${root}/memory${memory}`
  const [cpuNs, bytes, stat] = await Promise.all([number(`${root}/cpuacct${cpu}/cpuacct.usage`), number(`${at}/memory.usage_in_bytes`), text(`${at}/memory.stat`)])
  return { cpuNs, memoryBytes: bytes, workingSetBytes: Math.max(0, bytes - field(stat, 'total_inactive_file')) }
}

async function usageV2(path: string): Promise<GroupUsage> {
  const at = `${root}${path}`
  const [cpu, bytes, stat] = await Promise.all([text(`${at}/cpu.stat`), number(`${at}/memory.current`), text(`${at}/memory.stat`)])
  return { cpuNs: field(cpu, 'usage_usec') * 1000, memoryBytes: bytes, workingSetBytes: Math.max(0, bytes - field(stat, 'inactive_file')) }
}

async function machineUsage(): Promise<GroupUsage> {
  const [stat, meminfo] = await Promise.all([text('/proc/stat'), text('/proc/meminfo')])
  const ticks = (stat.split('\n')[0] ?? '').trim().split(/\s+/).slice(1).map(Number)
  // user nice system idle iowait irq softirq steal, in hundredths of a second
  const busy = ticks.reduce((sum, tick, i) => (i === 3 || i === 4 || i > 7 ? sum : sum + tick), 0)
  const kb = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(meminfo)?.[1] ?? 0) * 1024
  const used = kb('MemTotal') - kb('MemFree')
  return { cpuNs: busy * 1e7, memoryBytes: used, workingSetBytes: Math.max(0, used - kb('Inactive\\(file\\)')) }
}

function field(stat: string, name: string): number {
  return Number(new RegExp(`^${name} (\\d+)`, 'm').exec(stat)?.[1] ?? 0)
}

const text = (file: string): Promise<string> => readFile(file, 'utf8').catch(() => '')
const number = async (file: string): Promise<number> => Number(await text(file)) || 0
const exists = (file: string): Promise<boolean> => readFile(file).then(() => true, () => false)
