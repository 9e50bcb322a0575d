/** Sends one case over HTTPS with its sender's certificate or token, and makes an answer of what comes back. */
import { Agent, request, type RequestOptions } from 'node:https'
import { decodeProtobuf, isProtobuf } from '../../core/api/codec/protobuf.ts'
import type { Case, Sender } from './case.ts'

export interface Credential {
  readonly cert?: string
  readonly key?: string
  readonly token?: string
}

/** An API server to ask. */
export interface Peer {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly ca: string
  readonly credentials: ReadonlyMap<Sender, Credential>
}

export interface Answer {
  readonly code: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
}

/** Headers that clients look at; the rest is chance or transport. */
const headersCompared = ['content-type', 'warning', 'retry-after', 'www-authenticate', 'location', 'allow']
const answerMs = 30_000

export class Sends {
  readonly #peer: Peer
  readonly #agents = new Map<Sender, Agent>()
  readonly #tokens = new Map<Sender, string>()

  constructor(peer: Peer) {
    this.#peer = peer
  }

  /** Gives a sender a token that the peer itself issued. */
  token(sender: Sender, token: string): void {
    this.#tokens.set(sender, token)
  }

  async send(one: Case, values: ReadonlyMap<string, string>): Promise<Answer> {
    const sender = one.as ?? 'admin'
    const credential = this.#peer.credentials.get(sender) ?? {}
    const token = this.#tokens.get(sender) ?? credential.token
    const body = one.binary !== undefined ? Buffer.from(one.binary, 'base64') : one.body === undefined ? undefined : Buffer.from(fill(typeof one.body === 'string' ? one.body : JSON.stringify(one.body), values))
    const headers: Record<string, string> = {
      'user-agent': 'peers/1',
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': one.type ?? 'application/json', 'content-length': String(body.length) }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...one.headers,
    }
    const options = { host: this.#peer.host, port: this.#peer.port, method: one.method ?? 'GET', path: fill(one.path, values), headers, agent: this.#agent(sender, credential) }
    return await exchange(options, body)
  }

  #agent(sender: Sender, { cert, key }: Credential): Agent {
    const known = this.#agents.get(sender)
    if (known !== undefined) return known
    const identity = cert === undefined || key === undefined ? {} : { cert, key }
    const agent = new Agent({ ca: this.#peer.ca, keepAlive: true, maxSockets: 1, ...identity })
    this.#agents.set(sender, agent)
    return agent
  }

  close(): void {
    for (const agent of this.#agents.values()) agent.destroy()
  }
}

export function fill(text: string, values: ReadonlyMap<string, string>): string {
  return text.replaceAll(/\{\{(\w+)\}\}/g, (whole, name: string) => values.get(name) ?? whole)
}

function exchange(options: RequestOptions, body: Uint8Array | undefined): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request(options, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const headers: Record<string, string> = {}
        for (const name of headersCompared) {
          const value = response.headers[name]
          if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value
        }
        resolve({ code: response.statusCode ?? 0, headers, body: readable(Buffer.concat(chunks)) })
      })
    })
    call.setTimeout(answerMs, () => call.destroy(new Error(`no answer within ${answerMs} ms`)))
    call.on('error', reject)
    if (body !== undefined) call.write(body)
    call.end()
  })
}

/** Objects in protobuf are read as such; a list's items are in the table of definitions, too. */
function readable(bytes: Buffer): unknown {
  if (!isProtobuf(bytes)) return parsed(bytes.toString())
  const decoded = decodeProtobuf(bytes)
  return decoded.ok ? decoded.object : decoded.error
}

/** Lines of a watch become an array. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    const lines = text.trim().split('\n')
    try {
      return lines.length > 1 ? lines.map((line) => JSON.parse(line) as unknown) : text
    } catch {
      return text
    }
  }
}
