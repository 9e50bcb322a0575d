/**
 * What is noted of one request while it is on its way, and the lines it makes: events of audit.k8s.io/v1 as JSON, in
 * upstream's order of fields. Text is put together at the stage it belongs to; nothing of a request is kept but text.
 */
import { cloneJson } from '../../lib/json.ts'
import { memo } from '../../lib/memo.ts'
import type { User } from '../../auth/user.ts'
import type { ApiError } from '../../api/errors.ts'
import type { RequestInfo } from '../request.ts'
import type { Level, Stage, Wanted } from './policy.ts'
import { userText } from './users.ts'

/** Where events go. */
export type Emit = (line: string) => void

/** What is known of a request when it comes. */
export interface Received {
  readonly id: string
  readonly info: RequestInfo
  readonly user: User | undefined
  /** As it was sent. */
  readonly uri: string
  readonly agent: string
  /** Addresses, the sender's own last. */
  readonly sources: readonly string[]
  /** On the clock of the wall, in milliseconds. */
  readonly at: number
}

const agentLengthMax = 1_024

export class AuditRecord {
  readonly id: string
  readonly level: Level
  readonly #wanted: Wanted
  readonly #received: Received
  readonly #emit: Emit
  readonly #now: () => number
  readonly #annotations = new Map<string, string>()
  #impersonated: User | undefined
  #constraint = ''
  #namespace: string
  #name: string
  #uid = ''
  #version = ''
  #status: string | undefined
  #request: string | undefined
  #response: string | undefined
  #over = false

  constructor(wanted: Wanted, received: Received, now: () => number, emit: Emit) {
    this.id = received.id
    this.level = wanted.level
    this.#wanted = wanted
    this.#received = received
    this.#now = now
    this.#emit = emit
    this.#namespace = received.info.namespace
    this.#name = received.info.name
  }

  /** `constraint`: the verb that allowed it, where it was no plain right to impersonate. */
  impersonates(user: User, constraint: string): void {
    this.#impersonated = user
    this.#constraint = constraint
  }

  /** The first that says something of a key is heard. */
  annotate(key: string, value: string, level: 'Metadata' | 'Request' = 'Metadata'): void {
    if (level === 'Request' && this.level === 'Metadata') return
    if (!this.#annotations.has(key)) this.#annotations.set(key, value)
  }

  /** The object that the client sent, before anything is done with it. */
  sent(object: Readonly<Record<string, unknown>>): void {
    const metadata = (object['metadata'] ?? {}) as { readonly namespace?: string; readonly name?: string; readonly uid?: string; readonly resourceVersion?: string }
    if (this.#namespace === '') this.#namespace = metadata.namespace ?? ''
    if (this.#name === '') this.#name = metadata.name ?? ''
    this.#uid = metadata.uid ?? ''
    this.#version = metadata.resourceVersion ?? ''
    if (this.#shows('Request')) this.#request = JSON.stringify(this.#wanted.omitManagedFields ? withoutManagedFields(object) : object)
  }

  /** A patch, or what else was sent; JSON where it is, text where it is not. */
  sentText(text: string): void {
    // An event is one line: a break between two values of JSON would let the sender write lines of his own.
    if (this.#shows('Request')) this.#request = isJson(text) ? text.replaceAll(/[\r\n]/g, ' ') : JSON.stringify(text)
  }

  /** Whether the answer's object is wanted. */
  get wantsResponse(): boolean {
    return this.#shows('RequestResponse')
  }

  answered(code: number, object?: () => Readonly<Record<string, unknown>>): void {
    const answer = this.wantsResponse ? object?.() : undefined
    this.#status = `{"metadata":{},"code":${code}}`
    if (answer !== undefined) this.#response = JSON.stringify(this.#wanted.omitManagedFields ? withoutManagedFields(answer) : answer)
  }

  /** An answer that is a Status: it says itself what came of the request. */
  answeredStatus(code: number, status: Readonly<Record<string, unknown>>): void {
    const { kind: _kind, apiVersion: _apiVersion, metadata: _metadata, ...rest } = status
    this.#status = JSON.stringify({ metadata: {}, ...rest, code })
    if (this.wantsResponse) this.#response = JSON.stringify(status)
  }

  refused(error: ApiError): void {
    this.answeredStatus(error.code, error.status() as unknown as Record<string, unknown>)
  }

  /** Credentials that did not hold. */
  unknown(message: string): void {
    this.#status = JSON.stringify({ metadata: {}, message, code: 401 })
  }

  panicked(message: string): void {
    this.#status = JSON.stringify({ metadata: {}, status: 'Failure', message: `APIServer panic'd: ${message}`, reason: 'InternalError', code: 500 })
    this.stage('Panic')
    this.#over = true
  }

  /** The last stage, once. */
  complete(): void {
    if (this.#over) return
    this.#over = true
    this.#status ??= '{"metadata":{},"status":"Success","message":"Connection closed early","code":200}'
    this.stage('ResponseComplete')
  }

  stage(stage: Stage): void {
    if (!this.#wanted.omitStages.has(stage)) this.#emit(this.#line(stage))
  }

  #shows(level: Level): boolean {
    return this.level === 'RequestResponse' || this.level === level
  }

  #line(stage: Stage): string {
    const { info, user, uri, agent, sources, at } = this.#received
    return (
      `{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"${this.level}","auditID":${quote(this.id)},"stage":"${stage}","requestURI":${quote(uri)},"verb":${quote(info.verb)},"user":${user === undefined ? '{}' : userText(user)}` +
      (this.#impersonated === undefined ? '' : `,"impersonatedUser":${userText(this.#impersonated)}`) +
      (this.#constraint === '' ? '' : `,"authenticationMetadata":${JSON.stringify({ impersonationConstraint: this.#constraint })}`) +
      `,"sourceIPs":[${sources.length === 1 ? quote(sources[0] ?? '') : sources.map(quote).join(',')}]` +
      (agent === '' ? '' : `,"userAgent":${quoteOften(agent.length > agentLengthMax ? `${agent.slice(0, agentLengthMax)}...TRUNCATED` : agent)}`) +
      (info.isResource ? `,"objectRef":${this.#objectRef(info)}` : '') +
      (this.#status === undefined ? '' : `,"responseStatus":${this.#status}`) +
      (this.#request === undefined ? '' : `,"requestObject":${this.#request}`) +
      (this.#response === undefined ? '' : `,"responseObject":${this.#response}`) +
      `,"requestReceivedTimestamp":"${microTime(at)}","stageTimestamp":"${microTime(this.#now())}"` +
      `${this.#annotationText()}}\n`
    )
  }

  #objectRef({ resource, subresource, group, version }: RequestInfo): string {
    return (
      `{"resource":${quote(resource)}` +
      (this.#namespace === '' ? '' : `,"namespace":${quote(this.#namespace)}`) +
      (this.#name === '' ? '' : `,"name":${quote(this.#name)}`) +
      (this.#uid === '' ? '' : `,"uid":${quote(this.#uid)}`) +
      (group === '' ? '' : `,"apiGroup":${quote(group)}`) +
      `,"apiVersion":${quote(version)}` +
      (this.#version === '' ? '' : `,"resourceVersion":${quote(this.#version)}`) +
      (subresource === '' ? '' : `,"subresource":${quote(subresource)}`) +
      '}'
    )
  }

  #annotationText(): string {
    if (this.#annotations.size === 0) return ''
    const annotations = [...this.#annotations]
    if (annotations.length > 1) annotations.sort(([a], [b]) => (a < b ? -1 : 1))
    let text = ''
    for (const [key, value] of annotations) text += `${text === '' ? '' : ','}${quoteOften(key)}:${quote(value)}`
    return `,"annotations":{${text}}`
  }
}

/** Most of what is quoted needs no escape, and then this is quicker than JSON.stringify. */
export function quote(text: string): string {
  return plain.test(text) ? `"${text}"` : JSON.stringify(text)
}

const plain = /^[\u0020-\u0021\u0023-\u005b\u005d-\u007e]*$/

/** For what comes again and again. */
const quoteOften = memo(1_000, quote)

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function withoutManagedFields(object: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const mine = cloneJson(object) as { metadata?: { managedFields?: unknown }; items?: { metadata?: { managedFields?: unknown } }[]; rows?: { object?: { metadata?: { managedFields?: unknown } } }[] }
  delete mine.metadata?.managedFields
  if (Array.isArray(mine.items)) for (const item of mine.items) delete item.metadata?.managedFields
  if (Array.isArray(mine.rows)) for (const row of mine.rows) delete row.object?.metadata?.managedFields
  return mine as Readonly<Record<string, unknown>>
}

let second = Number.NaN
let secondText = ''

/** Microseconds, as far as the clock has them. */
export function microTime(ms: number): string {
  const whole = Math.floor(ms / 1_000)
  if (whole !== second) {
    second = whole
    secondText = new Date(whole * 1_000).toISOString().slice(0, 19)
  }
  return `${secondText}.${String(Math.floor((ms - whole * 1_000) * 1_000)).padStart(6, '0')}Z`
}
