/** The server's Tables: which rows are shown, in which order, and what tone a cell has. Pure. */
import { humanDuration } from '../../core/api/age.ts'
import type { KubeObject } from '../../core/api/meta.ts'

export interface Column {
  readonly name: string
  readonly type: string
  readonly format?: string
  readonly description?: string
  /** 0 is always shown; others are for wide tables. */
  readonly priority?: number
}

export interface Row {
  readonly cells: readonly unknown[]
  readonly object: KubeObject
}

export interface Table {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string }
  readonly columnDefinitions?: readonly Column[] | null
  readonly rows?: readonly Row[] | null
}

export interface Order {
  readonly column: string
  readonly down: boolean
}

const natural = new Intl.Collator('en', { numeric: true, sensitivity: 'base' })
const timeFormat = 'date'

/** Ages are told from the object's own time, so that they go on while nothing happens. */
export function isAge(column: Column): boolean {
  return column.name === 'Age' || (column.type === timeFormat && column.name === 'Created')
}

export function cellText(column: Column, index: number, row: Row, now: number): string {
  const created = row.object.metadata.creationTimestamp
  if (isAge(column) && created !== undefined) return humanDuration(Math.max(0, now - Date.parse(created)))
  const cell = row.cells[index]
  return cell === null || cell === undefined ? '' : typeof cell === 'object' ? JSON.stringify(cell) : String(cell as string | number | boolean)
}

/** Every word of the search must be in the row somewhere: in a cell, the namespace or a label. */
export function matches(row: Row, search: string): boolean {
  const words = search.toLowerCase().split(/\s+/).filter((word) => word !== '')
  if (words.length === 0) return true
  const { namespace = '', labels = {} } = row.object.metadata
  const hay = [namespace, ...row.cells.map(String), ...Object.entries(labels).map(([key, value]) => `${key}=${value}`)].join('\n').toLowerCase()
  return words.every((word) => hay.includes(word))
}

/** By namespace and name where no column is chosen; equal rows stay in that order. */
export function sorted(rows: readonly Row[], columns: readonly Column[], order: Order | undefined): readonly Row[] {
  const base = rows.toSorted(byName)
  if (order === undefined) return base
  const sign = order.down ? -1 : 1
  const index = columns.findIndex((column) => column.name === order.column)
  const column = columns[index]
  if (order.column === 'Namespace' && column === undefined) return base.toSorted((a, b) => sign * natural.compare(a.object.metadata.namespace ?? '', b.object.metadata.namespace ?? ''))
  if (column === undefined) return base
  if (isAge(column)) return base.toSorted((a, b) => sign * (timeOf(b) - timeOf(a)))
  return base.toSorted((a, b) => sign * compareCells(a.cells[index], b.cells[index]))
}

function byName(a: Row, b: Row): number {
  const [left, right] = [a.object.metadata, b.object.metadata]
  return natural.compare(left.namespace ?? '', right.namespace ?? '') || natural.compare(left.name ?? '', right.name ?? '')
}

function timeOf({ object }: Row): number {
  return Date.parse(object.metadata.creationTimestamp ?? '') || 0
}

function compareCells(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  return natural.compare(String(a ?? ''), String(b ?? ''))
}

export type Tone = 'good' | 'busy' | 'bad' | 'quiet' | 'none'

const good = new Set(['Running', 'Active', 'Ready', 'Bound', 'Available', 'Approved,Issued', 'Complete', 'Established', 'Healthy', 'True'])
const quiet = new Set(['Completed', 'Succeeded', 'Released', 'Suspended', 'Unknown'])
const busy = /^(?:Pending|ContainerCreating|PodInitializing|Init:\d+\/\d+|Terminating|Progressing|NotReady,|Unschedulable|SchedulingDisabled|SchedulingGated|Warning$)/
const bad = /(?:Err|Error|BackOff|Fail|Failed|NotReady|Evicted|OOMKilled|Invalid|Lost|Denied|DeadlineExceeded|Unhealthy|Killing)/

/** Colour of a status word; `none` for a column that is no status. */
export function toneOf(column: string, cell: string): Tone {
  if (column === 'Ready' || column === 'Completions') {
    const counts = /^(\d+)\/(\d+)$/.exec(cell)
    if (counts === null) return 'none'
    return counts[1] === counts[2] ? 'none' : 'busy'
  }
  if (!['Status', 'Phase', 'Condition', 'Type', 'Reason', 'State'].includes(column)) return 'none'
  return wordTone(cell)
}

export function wordTone(word: string): Tone {
  if (good.has(word)) return 'good'
  if (quiet.has(word)) return 'quiet'
  if (bad.test(word) && !word.startsWith('Ready')) return 'bad'
  if (busy.test(word)) return 'busy'
  if (word.startsWith('Ready,')) return 'busy'
  return 'none'
}
