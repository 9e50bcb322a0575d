/**
 * A client that wants the server for itself: so many requests in flight at all times over one connection, the next as soon as
 * one is answered. A program of its own, so that it does not share a loop with who measures. Prints one JSON line a second.
 *
 *     bun test/perf/greedy.ts '{"server":"https://127.0.0.1:6443","ca":"...","token":"...","inFlight":1000,"what":"get"}'
 */
import { connect, type ClientHttp2Session } from 'node:http2'

interface Wish {
  readonly server: string
  readonly ca: string
  readonly token: string
  readonly inFlight: number
  /** `patient`: comes back after as long as it is told, as client-go does; otherwise at once. */
  readonly patient?: boolean
  readonly what: 'get' | 'create' | 'list'
}

const wish = JSON.parse(process.argv[2] ?? '{}') as Wish
const counts = new Map<number, number>()
const base = '/api/v1/namespaces/default/configmaps'
const headers = { authorization: `Bearer ${wish.token}`, 'content-type': 'application/json' }
let made = 0

function one(session: ClientHttp2Session): void {
  const path = wish.what === 'get' ? `${base}/kube-root-ca.crt` : base
  const stream = session.request({ ...headers, ':method': wish.what === 'create' ? 'POST' : 'GET', ':path': path }, { endStream: wish.what !== 'create' })
  let code = 0
  let afterMs = 0
  stream.on('response', (answer) => {
    code = Number(answer[':status'])
    if (code === 429 && wish.patient === true) afterMs = Number(answer['retry-after'] ?? 1) * 1_000
  })
  stream.on('error', () => {})
  stream.on('data', () => {})
  stream.on('close', () => {
    counts.set(code, (counts.get(code) ?? 0) + 1)
    if (session.closed || session.destroyed) return
    if (afterMs > 0) setTimeout(() => one(session), afterMs)
    else one(session)
  })
  if (wish.what === 'create') stream.end(JSON.stringify({ metadata: { name: `greedy-${process.pid}-${made++}` }, data: { a: 'b' } }))
}

const session = connect(wish.server, { ca: wish.ca })
session.on('error', (error) => {
  console.error(String(error))
  process.exit(1)
})
session.on('close', () => process.exit(0))
session.on('connect', () => {
  for (let i = 0; i < wish.inFlight; i++) one(session)
})
setInterval(() => {
  console.log(JSON.stringify(Object.fromEntries(counts)))
  counts.clear()
}, 1_000)
