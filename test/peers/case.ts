/**
 * What a request to both API servers is: data. A group's cases run in order against one fresh world; what one answer
 * says (`save`) may stand in later requests as {{name}}. The lists are in cases/.
 */

/** Who sends it: see senders in peer.ts. */
export type Sender = 'admin' | 'nobody' | 'reader' | 'expired' | 'foreign' | 'anonymous' | 'badToken' | 'garbageToken' | 'serviceAccount'

export interface Case {
  /** Unique within its group. */
  readonly name: string
  /** GET where nothing is said. */
  readonly method?: string
  /** With query. */
  readonly path: string
  /** Objects are sent as JSON, strings as they are. */
  readonly body?: unknown
  /** In place of a body: bytes, in base64. */
  readonly binary?: string
  /** application/json where there is a body and nothing is said. */
  readonly type?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly as?: Sender
  /** Names values of the answer for later requests, by dotted path. */
  readonly save?: Readonly<Record<string, string>>
  /** What of the answer counts; the default is everything. `code`: also ends a long answer early. */
  readonly compare?: 'all' | 'code' | 'none'
  /** Before it upstream must have noticed what the cases before it did; we need no time for that. */
  readonly upstreamNeedsMs?: number
  /** Sent again until this is its code: for what a server takes a moment to serve. */
  readonly until?: number
}

export interface CaseGroup {
  readonly name: string
  /** Whether upstream's answers are kept as golden data: false for what is long and proved elsewhere. */
  readonly golden: boolean
  readonly cases: readonly Case[]
}

/** A namespace with the service account that pods need. */
export function namespaceCases(name: string): readonly Case[] {
  return [
    { name: `namespace ${name}`, method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name } }, compare: 'none' },
    { name: `account ${name}`, method: 'POST', path: `/api/v1/namespaces/${name}/serviceaccounts`, body: { metadata: { name: 'default' } }, compare: 'none' },
  ]
}
