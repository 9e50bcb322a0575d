/** Asks upstream's kube-scheduler, as a library in a program of ours (upstream/main.go), about drawn clusters. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { built } from '../clients/programs.ts'
import type { Case } from './cluster.ts'
import type { Answers } from './golden.ts'

const outputBytesMax = 512 * 2 ** 20

export function askUpstream(cases: readonly Case[]): readonly Answers[] {
  const program = built({ name: 'scheduling', from: '.', dir: join(import.meta.dirname, 'upstream') })
  const input = cases.map((drawn) => `${JSON.stringify(drawn)}\n`).join('')
  const done = spawnSync('nice', [program], { input, encoding: 'utf8', maxBuffer: outputBytesMax, stdio: ['pipe', 'pipe', 'inherit'] })
  if (done.status !== 0) throw new Error(`upstream's scheduler ended with code ${done.status}`)
  return done.stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as Answers)
}
