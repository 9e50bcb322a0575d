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

/** What a group is limited to and uses now. */
export interface GroupState extends GroupLimits {
  readonly usageBytes: number
}

export interface Cgroups {
  version(): Promise<1 | 2>
  /** Makes the group `path` (absolute, as a Docker cgroup parent) and sets its limits. */
  ensure(ctx: Ctx, path: string, limits: GroupLimits): Promise<void>
  remove(ctx: Ctx, path: string): Promise<void>
  /** undefined: there is no such group. */
  state(path: string): Promise<GroupState | undefined>
  /** Sets these limits of a group that is there; throws when the kernel refuses. */
  resize(path: string, limits: Partial<GroupLimits>): Promise<void>
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
      for (const [file, value] of filesV2(path, limits)) await set(file, value)
    },
    async remove(_ctx, path) {
      // In version 1 each hierarchy has the group, also the named ones and, on hybrid machines, version 2's.
      const at = (await version()) === 2 ? [`${root}${path}`] : (await readdir(root)).map((hierarchy) => `${root}/${hierarchy}${path}`)
      for (const folder of at) await rmdir(folder).catch(() => undefined) // still busy, or never there
    },
    state: async (path) => ((await version()) === 2 ? stateV2(path) : stateV1(path)),
    async resize(path, limits) {
      for (const [file, value] of (await version()) === 2 ? filesV2(path, limits) : filesV1(path, limits)) await writeFile(file, value)
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
  for (const [file, value] of filesV1(path, limits)) await set(file, value)
}

type Files = readonly (readonly [file: string, value: string])[]

function filesV1(path: string, { cpuShares, cpuQuotaUs, cpuPeriodUs, memoryBytes }: Partial<GroupLimits>): Files {
  const cpu = `${root}/cpu${path}`
  return [
    ...(cpuShares === undefined ? [] : [[`${cpu}/cpu.shares`, String(Math.max(2, cpuShares))] as const]),
    ...(cpuPeriodUs === undefined ? [] : [[`${cpu}/cpu.cfs_period_us`, String(cpuPeriodUs)] as const]),
    ...(cpuQuotaUs === undefined ? [] : [[`${cpu}/cpu.cfs_quota_us`, String(cpuQuotaUs > 0 ? cpuQuotaUs : -1)] as const]),
    ...(memoryBytes === undefined ? [] : [[`${root}/memory${path}/memory.limit_in_bytes`, String(memoryBytes > 0 ? memoryBytes : -1)] as const]),
  ]
}

function filesV2(path: string, { cpuShares, cpuQuotaUs, cpuPeriodUs = defaultPeriodUs, memoryBytes }: Partial<GroupLimits>): Files {
  const at = `${root}${path}`
  return [
    ...(cpuShares === undefined ? [] : [[`${at}/cpu.weight`, String(weightOf(cpuShares))] as const]),
    ...(cpuQuotaUs === undefined ? [] : [[`${at}/cpu.max`, `${cpuQuotaUs > 0 ? cpuQuotaUs : 'max'} ${cpuPeriodUs}`] as const]),
    ...(memoryBytes === undefined ? [] : [[`${at}/memory.max`, memoryBytes > 0 ? String(memoryBytes) : 'max'] as const]),
  ]
}

const defaultPeriodUs = 100_000

async function stateV1(path: string): Promise<GroupState | undefined> {
  const [cpu, memory] = [`${root}/cpu${path}`, `${root}/memory${path}`]
  const [cpuShares, quota, cpuPeriodUs, limit, usageBytes] = await Promise.all(
    [`${cpu}/cpu.shares`, `${cpu}/cpu.cfs_quota_us`, `${cpu}/cpu.cfs_period_us`, `${memory}/memory.limit_in_bytes`, `${memory}/memory.usage_in_bytes`].map(number),
  ) as [number, number, number, number, number]
  // Without a limit the file shows the largest number of pages that there can be.
  return cpuShares === 0 ? undefined : { cpuShares, cpuQuotaUs: Math.max(0, quota), cpuPeriodUs, memoryBytes: limit >= unlimitedV1 ? 0 : limit, usageBytes }
}

const unlimitedV1 = 2 ** 62

async function stateV2(path: string): Promise<GroupState | undefined> {
  const at = `${root}${path}`
  const [weight, max, limit, usageBytes] = await Promise.all([number(`${at}/cpu.weight`), text(`${at}/cpu.max`), number(`${at}/memory.max`), number(`${at}/memory.current`)])
  const [quota, period] = max.trim().split(' ')
  return weight === 0 ? undefined : { cpuShares: sharesOfWeight(weight), cpuQuotaUs: Number(quota) || 0, cpuPeriodUs: Number(period) || defaultPeriodUs, memoryBytes: limit, usageBytes }
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

/** And back, as near as the coarser numbers allow. */
export function sharesOfWeight(weight: number): number {
  return 2 + Math.ceil(((weight - 1) * 262142) / 9999)
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
