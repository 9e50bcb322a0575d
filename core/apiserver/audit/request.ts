/** Where the chain and the audit records meet: who sent a request, what was in it, what came of it. */
import { isIP } from 'node:net'
import { listObject } from '../answer.ts'
import type { Outcome, Payload } from '../deps.ts'
import type { Incoming } from '../exchange.ts'
import type { Sender } from './audit.ts'
import type { AuditRecord } from './record.ts'

export function senderOf(request: Incoming): Sender {
  return {
    uri: () => request.url,
    agent: () => request.header('user-agent') ?? '',
    sources: () => sourcesOf(request),
  }
}

/** What proxies say of the way, then the address that the connection came from. All but the last may be a lie. */
function sourcesOf(request: Incoming): readonly string[] {
  const peer = request.peer.replace(/^::ffff:(?=\d+\.)/, '')
  const forwarded = request.header('x-forwarded-for')
  const real = request.header('x-real-ip')
  if (forwarded === undefined && real === undefined) return [peer]
  const sources = (forwarded ?? '').split(',').map((address) => address.trim()).filter((address) => isIP(address) !== 0)
  if (real !== undefined && isIP(real) !== 0 && !sources.includes(real)) sources.push(real)
  if (peer !== '' && sources.at(-1) !== peer) sources.push(peer)
  return sources
}

/** What a request showed that was refused. */
export function attempted(request: Incoming): string {
  const header = request.header('authorization')?.trim() ?? ''
  const ways = [
    ...(/^basic /i.test(header) ? ['basic'] : []),
    ...(/^bearer ./i.test(header) ? ['bearer'] : []),
    ...(request.credentials.certificate === undefined ? [] : ['x509']),
  ]
  return ways.length === 0 ? 'Authentication failed, no credentials provided' : `Authentication failed, attempted: ${ways.join(', ')}`
}

/** The same payload; what is read of it is noted. */
export function noted(payload: Payload, record: AuditRecord | undefined): Payload {
  if (record === undefined) return payload
  return {
    async object(target, call, validation) {
      const object = await payload.object(target, call, validation)
      record.sent(object as unknown as Record<string, unknown>)
      return object
    },
    async options() {
      const options = await payload.options()
      if (options !== undefined) record.sent({ kind: 'DeleteOptions', apiVersion: 'meta.k8s.io/v1', ...options })
      return options
    },
    async patch() {
      const patch = await payload.patch()
      record.sentText(patch.text ?? JSON.stringify(patch.document ?? null))
      return patch
    },
  }
}

export function noteOutcome(record: AuditRecord | undefined, outcome: Outcome): void {
  if (record === undefined) return
  if (outcome.type === 'list') record.answered(200, () => listObject(outcome.kind, outcome.result) as unknown as Record<string, unknown>)
  else if (outcome.type === 'item') record.answered(outcome.code, () => outcome.item.object as unknown as Record<string, unknown>)
  else if (outcome.object['kind'] === 'Status') record.answeredStatus(outcome.code, outcome.object)
  else record.answered(outcome.code, () => outcome.object)
}
