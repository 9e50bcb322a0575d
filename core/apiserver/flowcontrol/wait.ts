/** A request waits for its turn: until it comes, its time is over, or its sender has gone. Refusals wait for theirs. */
import type { Deadlines } from '../deadlines.ts'
import type { Outlet } from '../exchange.ts'
import type { FlowControl } from './flowcontrol.ts'
import type { Ticket } from './ticket.ts'

/** The part of a request's time that it may spend waiting, and the most. */
const waitPart = 1 / 4
const waitMsMax = 60_000

/** True when it may start; false when it is to be refused, and it is its turn to be. `timeoutMs` is the request's own deadline. */
export async function turnOf(flow: FlowControl, ticket: Ticket, deadlines: Deadlines, timeoutMs: number, outlet: Pick<Outlet, 'onClose'>): Promise<boolean> {
  if (ticket.state === 'waiting') await waited(flow, ticket, deadlines, Math.min(timeoutMs * waitPart, waitMsMax), outlet)
  if (ticket.state === 'running') return true
  if (ticket.refusal !== 'cancelled') await new Promise<void>((resolve) => flow.refuse(resolve))
  return false
}

async function waited(flow: FlowControl, ticket: Ticket, deadlines: Deadlines, ms: number, outlet: Pick<Outlet, 'onClose'>): Promise<void> {
  const timed = deadlines.begin(ms)
  try {
    await new Promise<void>((resolve) => {
      ticket.wake = resolve
      timed.onAbort = () => flow.giveUp(ticket, 'time-out')
      outlet.onClose(() => flow.giveUp(ticket, 'cancelled'))
    })
  } finally {
    deadlines.end(timed)
  }
}
