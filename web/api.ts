/**
 * The browser's way to the API: fetch with the session's cookie, answers of 400 and above as Refused, streams line by
 * line. Knows nothing of views; collections that stay up to date are stream.ts.
 */
import type { Status } from '../core/api/errors.ts'

/** What the server (or the way to it) said no with. */
export class Refused extends Error {
  /** 0: the server was not reached. */
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

export const tableType = 'application/json;as=Table;v=v1;g=meta.k8s.io'
const discoveryType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'

/** Called when the server does not know the session any more. */
let signedOut: () => void = () => undefined

export function onSignedOut(call: () => void): void {
  signedOut = call
}

export interface AskOptions {
  readonly accept?: string
  readonly signal?: AbortSignal | undefined
  /** Sent as JSON; makes it a POST. */
  readonly body?: unknown
}

/** The header is what tells our requests from those that other sites cause (sessions.ts). */
export async function ask(path: string, { accept = 'application/json', signal, body }: AskOptions = {}): Promise<Response> {
  const headers = { accept, 'x-kubun-ui': '1', ...(body === undefined ? {} : { 'content-type': 'application/json' }) }
  const init: RequestInit = { headers, credentials: 'same-origin', cache: 'no-store', ...(signal === undefined ? {} : { signal }) }
  let response: Response
  try {
    response = await fetch(path, body === undefined ? init : { ...init, method: 'POST', body: JSON.stringify(body) })
  } catch (error) {
    if (signal?.aborted === true) throw error
    throw new Refused(0, 'The server does not answer. Is it running, and is the network up?')
  }
  if (response.ok) return response
  const message = await sentence(response)
  if (response.status === 401 && !path.startsWith('/ui/')) signedOut()
  throw new Refused(response.status, message)
}

export async function askJson<T>(path: string, options: AskOptions = {}): Promise<T> {
  return (await (await ask(path, options)).json()) as T
}

export async function discover(signal: AbortSignal): Promise<readonly unknown[]> {
  return await Promise.all(['/api', '/apis'].map((path) => askJson<unknown>(path, { accept: discoveryType, signal })))
}

/** The server's own words where it has any. */
async function sentence(response: Response): Promise<string> {
  const text = await response.text().catch(() => '')
  try {
    const { message } = JSON.parse(text) as Partial<Status>
    if (message !== undefined && message !== '') return capital(message)
  } catch {
    // Not JSON: a proxy's or a stream's own words.
  }
  return text.trim() === '' || text.includes('<') ? `The server answered ${response.status} ${response.statusText}.` : capital(text.trim().slice(0, 500))
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** Text as it comes. */
export async function* chunks(response: Response): AsyncGenerator<string, void, undefined> {
  const reader = response.body?.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array<ArrayBuffer>>).getReader()
  if (reader === undefined) return
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}

/** The complete lines of each chunk; what stands after the last line break waits for the rest. */
export async function* lineBatches(response: Response): AsyncGenerator<readonly string[], void, undefined> {
  let rest = ''
  for await (const chunk of chunks(response)) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    if (lines.length > 0) yield lines
  }
  if (rest !== '') yield [rest]
}
