/**
 * The machine under a lab: what a test needs and does not find here, and what a
 * test has left behind, by the means of the kernel (mounts, namespaces, links,
 * tables, control groups, processes), so that both can be told by name.
 */
import { accessSync, constants, existsSync, readdirSync, readFileSync, readlinkSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './process.ts'

export function commandPath(name: string): string | undefined {
  return `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`.split(':').map((dir) => join(dir, name)).find((path) => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** What of these is not here, in words for a test's name; undefined: everything is here. */
export function missing(...commands: readonly string[]): string | undefined {
  if (process.getuid?.() !== 0) return 'root'
  return commands.find((command) => (command.includes('/') ? !existsSync(command) : commandPath(command) === undefined))
}

const lines = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '')

/** Names a process for good: its id, and when it began, because ids come again. undefined: it is gone, or only waits to be buried. */
export function processMark(pid: number): string | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ')
    return fields[0] === 'Z' ? undefined : `${pid} ${fields[19]}`
  } catch {
    return undefined
  }
}

/** Ids of running processes whose command line or environment names the text. */
export function processesNaming(text: string): readonly number[] {
  const named = (pid: string): boolean => {
    try {
      return ['cmdline', 'cwd'].some((file) => (file === 'cwd' ? readlinkSync(`/proc/${pid}/cwd`) : readFileSync(`/proc/${pid}/cmdline`, 'utf8')).includes(text))
    } catch {
      return false // gone by itself
    }
  }
  return readdirSync('/proc').filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid).filter(named).map(Number)
}

/** Mount points that name the text, innermost first. */
export function mountsNaming(text: string): readonly string[] {
  const points = lines(readFileSync('/proc/self/mountinfo', 'utf8')).map((line) => (line.split(' ')[4] ?? '').replaceAll('\\040', ' '))
  return points.filter((point) => point.includes(text)).toReversed()
}

export function namespacesNaming(text: string): readonly string[] {
  return existsSync(namespaces) ? readdirSync(namespaces).filter((name) => name.includes(text)) : []
}

const namespaces = '/run/netns'

/** Control groups that name one of the texts, innermost first. */
export function cgroupsNaming(...texts: readonly string[]): readonly string[] {
  const root = '/sys/fs/cgroup'
  const found: string[] = []
  const walk = (dir: string, depth: number): void => {
    for (const entry of readdirSync(dir, { withFileTypes: true })) {
      if (!entry.isDirectory()) continue
      const path = join(dir, entry.name)
      if (depth < cgroupDepthMax) walk(path, depth + 1)
      if (texts.some((text) => path.includes(text))) found.push(path)
    }
  }
  if (existsSync(root)) walk(root, 0)
  return found
}

const cgroupDepthMax = 6

export function removeCgroups(...texts: readonly string[]): void {
  for (const path of cgroupsNaming(...texts)) {
    try {
      rmdirSync(path)
    } catch {
      // still busy: the leftover check names it
    }
  }
}

/** The machine's own namespace, as it must be again after a lab: tables and links. Links of a Kubun's pods come and go: another may run here. */
export async function hostState(): Promise<readonly string[]> {
  const [links, tables] = await Promise.all([run('ip', ['-br', 'link']), run('nft', ['list', 'tables'])])
  const names = lines(links.stdout).map((line) => line.split(/[\s@]/)[0] ?? '').filter((name) => !podLink.test(name))
  return [...names.map((name) => `link ${name}`), ...lines(tables.stdout)].toSorted()
}

const podLink = /^kb[0-9a-f]{10}$/
