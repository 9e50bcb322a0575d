import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { resolveFlags, UsageError } from '../../core/lib/config.ts'
import { virtualClock } from '../../core/lib/clock.ts'
import { silentLog } from '../../core/lib/log.ts'
import { planCommand } from './plan.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

async function run(text: string, ...argv: readonly string[]): Promise<{ readonly code: number; readonly said: readonly string[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'kubun-plan-'))
  folders.push(folder)
  const file = join(folder, 'f.yaml')
  writeFileSync(file, text)
  const said: string[] = []
  const { flags, words } = resolveFlags(planCommand.flags, { argv: ['--filename', file, '--kubeconfig', join(folder, 'none'), ...argv], env: {} })
  const ctx = { signal: new AbortController().signal, clock: virtualClock(), log: silentLog }
  const terminal = { print: (line: string) => void said.push(line), complain: (line: string) => void said.push(line.replaceAll(folder, '')) }
  return { code: await planCommand.run(ctx, terminal, flags, words), said }
}

it.each([
  ['YAML that is none', 'a: b: c', 'kubun: /f.yaml cannot be read: yaml: mapping values are not allowed in this context'],
  ['a file without objects', '# nothing', 'kubun: there are no objects in /f.yaml'],
  ['two things that are wrong', 'kind: Pod\n---\napiVersion: v1', 'kubun: /f.yaml#1 has no apiVersion\nkubun: /f.yaml#2 has no kind'],
  ['a cluster that nobody knows', '{apiVersion: v1, kind: Pod, metadata: {name: p}}', 'kubun: cannot read /none: run this as root on a server, or name a kubeconfig with --kubeconfig'],
])('ends with 2 and a sentence for %s', async (_, text, sentence) => {
  expect(await run(text)).toEqual({ code: 2, said: [sentence] })
})

it('wants files', async () => {
  const { flags } = resolveFlags(planCommand.flags, { argv: [], env: {} })
  const ctx = { signal: new AbortController().signal, clock: virtualClock(), log: silentLog }
  await expect(planCommand.run(ctx, { print: () => {}, complain: () => {} }, flags, [])).rejects.toThrow(UsageError)
})
