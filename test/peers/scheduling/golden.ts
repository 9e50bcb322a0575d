/**
 * Upstream's answers about drawn clusters, as a file: the clusters themselves follow from the seed, so that only a
 * digest of each is kept, which tells when the drawing was changed and upstream must be asked anew
 * (npm run test:peers -- scheduling --update).
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import type { Case } from './cluster.ts'

/** A code (U: evicting pods may help, UU: it does not, E: the plugin cannot say) and the reasons. */
export type Verdict = readonly [code: string, ...reasons: string[]]

/** What upstream says of one pod; upstream/answer.go writes it. */
export interface Answer {
  readonly pod: string
  /** Why it does not come into the queue. */
  readonly gate?: string
  /** Plugin -> node -> what it says by itself, where it refuses; node `*`: all nodes at once. */
  readonly filters?: Readonly<Record<string, Readonly<Record<string, Verdict>>>>
  /** Node -> who refuses it when all are asked in turn; '': nobody, for it was not looked at. */
  readonly refused?: Readonly<Record<string, string>>
  readonly fits?: readonly string[]
  /** Plugin -> what it adds for each node that fits, weight counted. */
  readonly scores?: Readonly<Record<string, readonly number[]>>
  /** Of the pod's condition, when no node fits. */
  readonly message?: string
  readonly error?: string
  readonly preemption?: {
    readonly candidates: readonly { readonly node: string; readonly victims: readonly string[]; readonly violations: number }[]
    /** Equally good ones, of which chance takes one. */
    readonly chosen: readonly string[]
  }
}

export interface Answers {
  readonly number: number
  readonly pods: readonly Answer[]
}

export const goldenSeed = 1
export const goldenCount = 1_000

const path = new URL('../../golden/scheduling/answers.jsonl.gz', import.meta.url).pathname

export function digestOf(drawn: Case): string {
  return createHash('sha256').update(JSON.stringify(drawn)).digest('hex').slice(0, 12)
}

export function writeGolden(cases: readonly Case[], answers: readonly Answers[]): void {
  const lines = answers.map((each, i) => JSON.stringify({ digest: digestOf(cases[i] as Case), ...each }))
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, gzipSync(`${lines.join('\n')}\n`, { level: 9 }))
}

const configurationsPath = new URL('../../golden/scheduling/configurations.json', import.meta.url).pathname

/** Texts stay, answers are new. */
export function updateConfigurations(ask: (golden: string) => string): void {
  writeFileSync(configurationsPath, ask(readFileSync(configurationsPath, 'utf8')))
}

export function readGolden(): readonly (Answers & { readonly digest: string })[] {
  return gunzipSync(readFileSync(path)).toString().trimEnd().split('\n').map((line) => JSON.parse(line) as Answers & { readonly digest: string })
}
