/** The debug endpoints of flow control. */
import type { Hono } from 'hono'
import { dumpLevels, dumpQueues, dumpRequests } from './dump.ts'
import type { FlowControl } from './flowcontrol.ts'

const base = '/debug/api_priority_and_fairness'
const headers = { 'content-type': 'text/plain; charset=utf-8' }

export function flowRoutes(app: Hono, flow: FlowControl): void {
  app.all(`${base}/dump_priority_levels`, () => new Response(dumpLevels(flow), { headers }))
  app.all(`${base}/dump_queues`, () => new Response(dumpQueues(flow), { headers }))
  app.all(`${base}/dump_requests`, (c) => new Response(dumpRequests(flow, (c.req.query('includeRequestDetails') ?? '') !== ''), { headers }))
}
