/** What flow control looks like from inside: the tables under /debug/api_priority_and_fairness (k8s.io/apiserver/pkg/util/flowcontrol/apf_controller_debug.go). */
import type { FlowControl } from './flowcontrol.ts'
import type { Level, Queue } from './level.ts'
import type { Ticket } from './ticket.ts'

const levelColumns = ['PriorityLevelName', 'ActiveQueues', 'IsIdle', 'IsQuiescing', 'WaitingRequests', 'ExecutingRequests', 'DispatchedRequests', 'RejectedRequests', 'TimedoutRequests', 'CancelledRequests']

export function dumpLevels(flow: FlowControl): string {
  return table(levelColumns, sorted(flow).map((level) => [
    level.name, level.queues.filter((queue) => queue.waiting.size > 0).length, level.idle, level.quiescing,
    level.waiting, level.running.size, level.dispatched, level.rejected, level.timedOut, level.cancelled,
  ]))
}

const queueColumns = ['PriorityLevelName', 'Index', 'PendingRequests', 'ExecutingRequests', 'SeatsInUse', 'NextDispatchR', 'InitialSeatsSum', 'MaxSeatsSum', 'TotalWorkSum']

/** Queues that were never used are like those that are empty. */
export function dumpQueues(flow: FlowControl): string {
  const rows = sorted(flow).flatMap((level) => queuesOf(level).map((queue, i) => {
    const seats = [...(queue?.waiting ?? [])].reduce((sum, ticket) => sum + ticket.seats, 0)
    return [level.name, i, queue?.waiting.size ?? 0, queue?.running ?? 0, queue?.seats ?? 0, seatSeconds(queue?.start ?? 0), seats, seats, seatSeconds(queue?.work ?? 0)]
  }))
  return table(queueColumns, rows)
}

/** As many as are configured; those of levels without have no number. */
function queuesOf(level: Level): readonly (Queue | undefined)[] {
  if (level.mode.type !== 'queue') return []
  const used = new Map(level.queues.map((queue) => [queue.id, queue]))
  return Array.from({ length: Math.min(level.mode.queues, rowsMax) }, (_, i) => used.get(i))
}

const rowsMax = 10_000

const requestColumns = ['PriorityLevelName', 'FlowSchemaName', 'QueueIndex', 'RequestIndexInQueue', 'FlowDistingsher', 'ArriveTime', 'InitialSeats', 'FinalSeats', 'AdditionalLatency', 'StartTime']
const detailColumns = ['UserName', 'Verb', 'APIPath', 'Namespace', 'Name', 'APIVersion', 'Resource', 'SubResource']

export function dumpRequests(flow: FlowControl, details: boolean): string {
  const wall = (at: number): string => new Date(flow.clock.now() - flow.clock.monotonic() + at).toISOString()
  const row = (ticket: Ticket, index: number): readonly Cell[] => [
    ticket.flow.level.name, ticket.flow.name, typeof ticket.queue?.id === 'number' ? ticket.queue.id : -1, index, ticket.distinguisher,
    wall(ticket.arrived), ticket.seats, 0, '0s', ticket.state === 'running' ? wall(ticket.started) : '0001-01-01T00:00:00Z',
    ...(details ? detailsOf(ticket) : []),
  ]
  const rows = sorted(flow).flatMap((level) => [
    ...level.queues.flatMap((queue) => [...queue.waiting].map((ticket, i) => row(ticket, i))),
    ...[...level.running].map((ticket) => row(ticket, -1)),
  ])
  return table(details ? [...requestColumns, ...detailColumns] : requestColumns, rows)
}

function detailsOf({ info, user }: Ticket): readonly Cell[] {
  const version = info.group === '' ? info.version : `${info.group}/${info.version}`
  return [user.name, info.verb, info.path, info.namespace, info.name, version, info.resource, info.subresource]
}

function sorted(flow: FlowControl): readonly Level[] {
  return [...flow.levels.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/** Virtual time is kept in milliseconds of a seat. */
function seatSeconds(work: number): string {
  return `${(work / 1_000).toFixed(8)}ss`
}

type Cell = string | number | boolean

const widthMin = 8

/** Columns of equal width, commas after all but the last. */
function table(columns: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const lines = [columns, ...rows].map((row) => row.map((cell, i) => (i < columns.length - 1 ? `${cell},` : String(cell))))
  const widths = columns.map((_, i) => Math.max(widthMin, ...lines.map((line) => (line[i]?.length ?? 0) + 1)))
  return lines.map((line) => `${line.map((cell, i) => (i < columns.length - 1 ? cell.padEnd(widths[i] ?? 0) : cell)).join('')}\n`).join('')
}
