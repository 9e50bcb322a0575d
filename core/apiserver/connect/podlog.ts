/** Logs for parts of the same process: what a kubelet answers, gathered as text instead of passed on. */
import { requestEntityTooLarge } from '../../api/errors.ts'
import type { ApiServerDeps, Call } from '../deps.ts'
import type { Incoming, Outlet } from '../exchange.ts'
import { forward } from './forward.ts'
import { locate, type Location } from './location.ts'

const bytesMax = 1_024 * 1_024

/** '' where there is nothing to say yet. Throws ApiError. */
export async function podLog(deps: ApiServerDeps, call: Call): Promise<string> {
  const location = await locate(deps, call)
  return location === undefined ? '' : await gather(call, location)
}

export async function gather(call: Call, location: Location): Promise<string> {
  const gathered = new Gathered()
  await forward(call, { ctx: call.ctx, request: nothingSent, outlet: gathered }, location)
  return gathered.text()
}

class Gathered implements Outlet {
  started = false
  gone = false
  readonly #chunks: Uint8Array[] = []
  #bytes = 0
  #failure: Error | undefined
  #closed: (() => void) | undefined

  text(): string {
    if (this.#failure !== undefined) throw this.#failure
    return Buffer.concat(this.#chunks).toString('utf8')
  }

  send(): void {
    this.started = true
  }

  start(): void {
    this.started = true
  }

  write(chunk: Uint8Array): boolean {
    this.#bytes += chunk.length
    if (this.#bytes > bytesMax) {
      this.destroy(requestEntityTooLarge(`the log is longer than ${bytesMax} bytes: ask for fewer lines`))
      this.#closed?.()
    } else this.#chunks.push(chunk)
    return true
  }

  end(): void {
    this.gone = true
  }

  destroy(why: Error): void {
    this.#failure ??= why
    this.gone = true
  }

  onDrain(): void {}

  onClose(closed: () => void): void {
    this.#closed = closed
  }

  hangUp(): void {}
}

/** Nothing of the asker's own goes to a kubelet. */
const nothingSent: Incoming = {
  method: 'GET',
  url: '',
  header: () => undefined,
  headers: () => [],
  headerNames: () => [],
  body: () => Promise.resolve(new Uint8Array()),
  stream: () => (async function* () {})(),
  credentials: {},
  peer: '',
}
