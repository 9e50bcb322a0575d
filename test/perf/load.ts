/**
 * The load program: kbench, a Go client of any Kubernetes API that prints one JSON line for each thing it measured.
 * Found as an executable in the cache, or built from its source. It looks at the servers' processes, too.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { must } from '../support/process.ts'

/** One line of kbench; names and units are its own. */
export type Row = Readonly<Record<string, unknown>>

/** What is measured: where it answers, and the processes it consists of. */
export interface Subject {
  readonly name: 'kubun' | 'upstream'
  readonly kubeconfig: string
  readonly pids: readonly number[]
  stop(): Promise<void>
}

const limitMs = 600_000

/** The program's path; where it cannot be had, a sentence that says how to get it. */
export async function kbenchProgram(binDir: string): Promise<{ readonly path: string } | { readonly missing: string }> {
  const built = join(binDir, 'kbench')
  const source = process.env['KUBUN_KBENCH']
  if (source !== undefined && existsSync(join(source, 'go.mod'))) {
    await must('go', ['build', '-o', built, '.'], { cwd: source, env: { CGO_ENABLED: '0' }, timeoutMs: limitMs })
  } else if (source !== undefined) {
    return { missing: `KUBUN_KBENCH names ${source}, where no Go module lies` }
  }
  if (existsSync(built)) return { path: built }
  return { missing: `there is no load program: put the executable at ${built}, or name the folder of its Go source in KUBUN_KBENCH` }
}

/** Runs one measurement of a subject. The client is nice, so that what is short is the server's. `env` switches client-go's features. */
export async function measure(kbench: string, subject: Subject, bench: string, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<readonly Row[]> {
  return await rowsOf(kbench, [bench, '--kubeconfig', subject.kubeconfig, '--pid', subject.pids.join(','), ...args], env)
}

/** The rows that a load program prints. */
export async function rowsOf(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<readonly Row[]> {
  const text = await must('nice', ['-n', '5', program, ...args], { timeoutMs: limitMs, env })
  return text.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Row)
}

/** Seconds of CPU that a subject's processes have used so far: /proc counts them in hundredths. */
export function cpuSeconds(subject: Subject): number {
  return subject.pids.reduce((sum, pid) => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [user = '0', system = '0'] = stat.slice(stat.lastIndexOf(')') + 2).split(' ').slice(11, 13)
    return sum + (Number(user) + Number(system)) / 100
  }, 0)
}

export function numberOf(row: Row, field: string): number | undefined {
  const value = row[field]
  return typeof value === 'number' ? value : undefined
}

/** Others used too much of the machine meanwhile: the row says nothing. */
export const othersPctMax = 40

export function isClean(row: Row): boolean {
  return (numberOf(row, 'others_cpu_pct') ?? 0) <= othersPctMax
}
