/** gRPC health check (grpc.health.v1.Health/Check) over plain HTTP/2: one small message each way, coded by hand. */
import { connect } from 'node:http2'
import type { Ctx } from '../../../core/lib/ctx.ts'
import { bracketed } from '../../../core/lib/ip.ts'
import type { ProbeAnswer } from './handlers.ts'
import { dialWords } from './handlers.ts'

const statusNames = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN']

export function runGrpc(ctx: Ctx, host: string, port: number, service: string): Promise<ProbeAnswer> {
  return new Promise((resolve) => {
    const session = connect(`http://${bracketed(host)}:${port}`)
    const end = (ok: boolean, output: string): void => {
      ctx.signal.removeEventListener('abort', late)
      session.destroy()
      resolve({ ok, output })
    }
    const late = (): void => end(false, `timeout: failed to connect service "${host}:${port}": context deadline exceeded`)
    ctx.signal.addEventListener('abort', late, { once: true })
    session.on('error', (error) => end(false, `error: failed to connect service at "${host}:${port}": ${dialWords(error, host, String(port))}`))
    const stream = session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
      'user-agent': 'kube-probe/1.36',
    })
    let status = ''
    let message = ''
    const body: Buffer[] = []
    const read = (headers: Record<string, unknown>): void => {
      status = String(headers['grpc-status'] ?? status)
      message = String(headers['grpc-message'] ?? message)
    }
    stream.on('response', read)
    stream.on('trailers', read)
    stream.on('data', (chunk: Buffer) => void body.push(chunk))
    stream.on('error', () => end(false, 'error: health rpc probe failed'))
    stream.once('end', () => setImmediate(() => {
      if (status === '12') return end(false, `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${message}`)
      if (status !== '0' && status !== '') return end(false, `error: health rpc probe failed: rpc error: code = ${status} desc = ${message}`)
      const serving = servingStatus(Buffer.concat(body))
      end(serving === 1, serving === 1 ? 'service healthy' : `service unhealthy (responded with "${statusNames[serving] ?? serving}")`)
    }))
    stream.end(frame(service))
  })
}

/** HealthCheckRequest { string service = 1 } behind gRPC's five bytes. */
function frame(service: string): Buffer {
  const name = Buffer.from(service)
  const message = name.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, name.length]), name])
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

/** HealthCheckResponse { ServingStatus status = 1 }; an absent field is 0. */
function servingStatus(body: Buffer): number {
  return body[5] === 0x08 ? (body[6] ?? 0) : 0
}
