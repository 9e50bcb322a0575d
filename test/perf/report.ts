/** The numbers as a table for people, and as the report that is kept. */
import { cpus, totalmem } from 'node:os'
import type { Line, Measure } from './tally.ts'

const headings = ['what', 'of', 'kubun', 'upstream', 'ratio', 'goal', ''] as const

export function rowsOf(lines: readonly Line[]): readonly (readonly string[])[] {
  return lines.map(({ measure, kubun, upstream, ratio, met }) => [
    measure.what, `${measure.of}, ${measure.unit}`, figure(kubun), figure(upstream), figure(ratio), goalOf(measure),
    met === undefined ? '' : met ? 'met' : 'missed',
  ])
}

function figure(value: number | undefined): string {
  if (value === undefined) return '-'
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value >= 1 ? value.toFixed(2) : value.toFixed(3)
}

function goalOf({ goal }: Measure): string {
  if (goal === undefined) return ''
  if (goal.absoluteMax !== undefined) return `<= ${goal.absoluteMax}`
  if (goal.absoluteMin !== undefined) return `>= ${goal.absoluteMin}`
  return goal.atLeast === undefined ? `<= ${(goal.atMost ?? 0).toFixed(2)} x` : `>= ${goal.atLeast} x`
}

export function printable(lines: readonly Line[]): string {
  const rows = [headings, ...rowsOf(lines)]
  const widths = headings.map((_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length)))
  return rows.map((row) => row.map((cell, i) => (i < 2 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  ').trimEnd()).join('\n')
}

export interface ReportInit {
  readonly date: string
  readonly repetitions: number
  readonly disturbed: number
  /** Whether the disturbed rows count. */
  readonly busy: boolean
  readonly upstream: string
}

export function markdown(lines: readonly Line[], init: ReportInit): string {
  const [cpu] = cpus()
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [
    '# Speed and memory, side by side with upstream',
    '',
    `Made by \`npm run bench\` on ${init.date}: ${cpus().length} cores (${cpu?.model.trim() ?? 'unknown'}), ${(totalmem() / 2 ** 30).toFixed(0)} GB, the client on the same machine.`,
    `Kubun is the compiled executable without a node; upstream is ${init.upstream}. Both write with an fsync before each`,
    `acknowledgement, and were measured in turn; each number is the median of ${init.repetitions}. ${disturbance(init)}`,
    'The machine is small and the client shares it: ratios and CPU an operation say more than rates.',
    '',
    line(headings),
    line(headings.map((_, i) => (i >= 2 && i <= 4 ? '---:' : '---'))),
    ...rowsOf(lines).map(line),
    '',
  ].join('\n')
}

function disturbance({ disturbed, busy }: ReportInit): string {
  if (!busy) return `Rows during which others used more than 40 % of a core were thrown away (${disturbed}).`
  return `Others used the machine (more than 40 % of a core in ${disturbed} rows, which are counted): rates are low on both sides.`
}
