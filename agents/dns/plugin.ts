/** What a DNS plugin is: given the next handler, a handler. The list of plugins is chain.ts. */
import type { Ctx } from '../../core/lib/ctx.ts'
import type { Answer, Query } from './wire.ts'

/** Records to be written, or a whole message of another server, which gets the client's id and spelling. */
export type Reply =
  | { readonly answer: Answer; /** The same question has the same answer until the cluster changes. */ readonly stable?: boolean }
  | { readonly packet: Uint8Array }

/** Answers at once where it can, so that most questions cost no turn of the event loop. */
export type DnsHandler = (ctx: Ctx, query: Query) => Reply | Promise<Reply>
export type DnsPlugin = (next: DnsHandler) => DnsHandler

export function refusal(rcode: number): Reply {
  return { answer: { rcode, authoritative: false, answers: [], authorities: [], additionals: [] } }
}
