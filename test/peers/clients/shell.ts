/** Says lines for a shell to one server, in order, with the server's kubeconfig and a directory that is a copy of `files`. */
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../../support/process.ts'
import { binDir } from '../upstream.ts'
import { normalText } from './normal.ts'

/** A string: exit code and output count; `code`: the exit code alone. */
export type ShellCase = string | { readonly run: string; readonly compare: 'code' }

export interface Said {
  readonly code: number
  /** Absent where only the code counts. */
  readonly text?: string
  /** As it was written. */
  readonly raw: string
}

const caseMs = 90_000

/** What makes the next case hold waits for what controllers do. */
export const quiet = (line: string): ShellCase => ({ run: line, compare: 'code' })

export async function playShell(kubeconfig: string, { dir, files, cases }: { readonly dir: string; readonly files: string; readonly cases: readonly ShellCase[] }): Promise<ReadonlyMap<string, Said>> {
  cpSync(files, dir, { recursive: true })
  const env = { KUBECONFIG: kubeconfig, HOME: dir, PATH: `${binDir}:${process.env['PATH'] ?? ''}`, KUBECACHEDIR: join(dir, '.cache') }
  const said = new Map<string, Said>()
  for (const [index, each] of cases.entries()) {
    const { run: line, compare } = typeof each === 'string' ? { run: each, compare: 'all' } : each
    const done = await run('bash', ['-c', line], { env, cwd: dir, timeoutMs: caseMs }).catch((error: unknown) => ({ code: -1, stdout: '', stderr: String(error) }))
    const raw = `${done.stdout}${done.stderr === '' ? '' : `\n[stderr]\n${done.stderr}`}`
    said.set(`${index} ${line}`, { code: done.code, raw, ...(compare === 'code' ? {} : { text: normalText(raw, dir) }) })
  }
  return said
}
