/** Connections to nodes, pods and services: log, exec, attach, port-forward, proxy. */
import { genericNotFound } from '../../api/errors.ts'
import type { ApiServerDeps, Call } from '../deps.ts'
import type { Exchange } from '../exchange.ts'

export async function connect(deps: ApiServerDeps, call: Call, exchange: Exchange): Promise<void> {
  void deps
  void call
  void exchange
  throw genericNotFound()
}
