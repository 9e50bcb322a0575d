/** Asks upstream's kube-scheduler, as a library in a program of ours (upstream/main.go), about drawn clusters. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { built } from '../clients/programs.ts'
import type { Case } from './cluster.ts'
import type { Answers } from './golden.ts'

const outputBytesMax = 512 * 2 ** 20

export function askUpstream(cases: readonly Case[]): readonly Answers[] {
  const output = answered([], cases.map((drawn) => `${JSON.stringify(drawn)}\n`).join(''))
  return output.trimEnd().split('\n').map((line) => JSON.parse(line) as Answers)
}

/** A list of configurations, as the golden data has them, with what upstream says of each by now. */
export function askConfigurations(golden: string): string {
  return answered(['--configurations'], golden)
}

function answered(args: readonly string[], input: string): string {
  const program = built({ name: 'scheduling', from: '.', dir: join(import.meta.dirname, 'upstream') })
  const done = spawnSync('nice', [program, ...args], { input, encoding: 'utf8', maxBuffer: outputBytesMax, stdio: ['pipe', 'pipe', 'inherit'] })
  if (done.status !== 0) throw new Error(`upstream's scheduler ended with code ${done.status}`)
  return done.stdout
}
