/** Generated requests with upstream's answers, as a file: whole sequences, so that they replay whatever the generator draws today. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { gunzipSync, gzipSync } from 'node:zlib'
import type { Case } from '../case.ts'
import type { Answer } from '../send.ts'

export interface Recorded {
  readonly cases: readonly Case[]
  readonly answers: readonly (readonly [name: string, answer: Answer])[]
}

const path = new URL('../../golden/errors/generated.jsonl.gz', import.meta.url).pathname

export function writeRecorded(sequences: readonly Recorded[]): void {
  writeFileSync(path, gzipSync(sequences.map((each) => JSON.stringify(each)).join('\n'), { level: 9 }))
}

export function readRecorded(): readonly Recorded[] {
  return existsSync(path) ? gunzipSync(readFileSync(path)).toString().split('\n').map((line) => JSON.parse(line) as Recorded) : []
}
