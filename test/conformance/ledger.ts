/** The ledger: one line a spec, `state<TAB>spec<TAB>reason`, sorted by spec, so that a change of one spec is a change of one line. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

export type State = 'passed' | 'failed' | 'skipped'

export interface Entry {
  readonly state: State
  readonly spec: string
  /** Why it did not pass; empty when it did. */
  readonly reason: string
}

export const ledgerPath = new URL('ledger.tsv', import.meta.url).pathname

export function readLedger(path = ledgerPath): Map<string, Entry> {
  const entries = new Map<string, Entry>()
  if (!existsSync(path)) return entries
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    const [state, spec, reason] = line.split('\t')
    if (spec === undefined || (state !== 'passed' && state !== 'failed' && state !== 'skipped')) continue
    entries.set(spec, { state, spec, reason: reason ?? '' })
  }
  return entries
}

export function writeLedger(entries: ReadonlyMap<string, Entry>, path = ledgerPath): void {
  const sorted = [...entries.values()].toSorted((a, b) => (a.spec < b.spec ? -1 : 1))
  writeFileSync(path, sorted.map(({ state, spec, reason }) => `${state}\t${spec}\t${reason}\n`).join(''))
}

/** One line, without tabs and without what changes from run to run. */
export function reasonOf(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  const steady = line.replaceAll(/\b[0-9a-f]{8}-[0-9a-f-]{27}\b/g, '<uid>').replaceAll(/-\d{2,5}\b(?=[^.])/g, '-<n>').replaceAll(/0x[0-9a-f]+/g, '<address>').replaceAll(/\d{4}-\d\d-\d\d[T ][\d:.]+(Z| [+-]\d{4} UTC)?( m=[+\d.]+)?/g, '<time>')
  return steady.length > reasonLengthMax ? `${steady.slice(0, reasonLengthMax)}...` : steady
}

const reasonLengthMax = 240
