/**
 * A load of CustomResourceDefinitions: so many clients create them, each over a connection of its own, one after the other,
 * while a watch sees when each is established. A program of its own, so that it can be nice. Prints one JSON line.
 *
 *     nice bun test/perf/crds.ts '{"kubeconfig":"...","clients":16,"n":1000,"properties":10,"group":"a.example.com"}'
 */
import { connect, type ClientHttp2Session } from 'node:http2'
import { accessOf, type Access } from './access.ts'

interface Wish {
  readonly kubeconfig: string
  readonly clients: number
  readonly n: number
  /** Fields that each schema describes. */
  readonly properties: number
  /** One that no other run has. */
  readonly group: string
}

const base = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const waitMsMax = 60_000

function definition(group: string, i: number, properties: number): unknown {
  const fields = Object.fromEntries(Array.from({ length: properties }, (_, field) => [
    `field${field}`,
    field % 2 === 0 ? { type: 'string', maxLength: 63, description: 'what it is' } : { type: 'array', items: { type: 'object', properties: { port: { type: 'integer', minimum: 1 } } } },
  ]))
  const schema = { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: fields } } } }
  return {
    apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: `things${i}.${group}` },
    spec: { group, scope: 'Namespaced', names: { plural: `things${i}`, kind: `Thing${i}` }, versions: [{ name: 'v1', served: true, storage: true, schema }] },
  }
}

interface Seen {
  readonly metadata: { readonly name: string }
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] }
}

/** When each was first seen to be established. Over HTTP/1.1: Bun's HTTP/2 client may leave a stream of large events waiting. */
async function follow({ server, ca, cert, key }: Access, from: string, established: (name: string) => void): Promise<() => void> {
  const over = new AbortController()
  const answer = await fetch(`${server}${base}?watch=true&resourceVersion=${from}`, { tls: { ca, cert, key }, signal: over.signal })
  const read = async (): Promise<void> => {
    const decoder = new TextDecoder()
    let rest = ''
    for await (const chunk of answer.body ?? []) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        const { object } = JSON.parse(line) as { readonly object: Seen }
        if (object.status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True') === true) established(object.metadata.name)
      }
    }
  }
  read().catch(() => {}) // it was ended
  return () => over.abort()
}

/** Posts a body, or gets. */
function ask(session: ClientHttp2Session, path: string, body: string | undefined, want: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':method': body === undefined ? 'GET' : 'POST', ':path': path, 'content-type': 'application/json' }, { endStream: body === undefined })
    let code = 0
    let text = ''
    stream.setEncoding('utf8')
    stream.on('response', (answer) => (code = Number(answer[':status'])))
    stream.on('data', (chunk: string) => (text += chunk))
    stream.on('end', () => (code === want ? resolve(text) : reject(new Error(`${code}: ${text}`))))
    stream.on('error', reject)
    if (body !== undefined) stream.end(body)
  })
}

async function load({ kubeconfig, clients, n, properties, group }: Wish): Promise<Readonly<Record<string, unknown>>> {
  const access: Access = accessOf(kubeconfig)
  const dial = (): ClientHttp2Session => connect(access.server, { ca: access.ca, cert: access.cert, key: access.key })
  const sessions = Array.from({ length: clients }, dial)
  const established = new Map<string, number>()
  const answered = new Map<string, number>()
  const took: number[] = []
  const [first] = sessions
  if (first === undefined) throw new Error('there are no clients')
  const { metadata } = JSON.parse(await ask(first, `${base}?limit=1`, undefined, 200)) as { readonly metadata: { readonly resourceVersion: string } }
  const stop = await follow(access, metadata.resourceVersion, (name) => {
    if (name.endsWith(`.${group}`) && !established.has(name)) established.set(name, performance.now())
  })
  const bodies = Array.from({ length: n }, (_, i) => JSON.stringify(definition(group, i, properties)))
  let next = 0
  const began = performance.now()
  await Promise.all(sessions.map(async (session) => {
    while (next < n) {
      const i = next++
      const sent = performance.now()
      await ask(session, base, bodies[i], 201)
      answered.set(`things${i}.${group}`, performance.now())
      took.push(performance.now() - sent)
    }
  }))
  const created = performance.now()
  while (established.size < n && performance.now() - created < waitMsMax) await new Promise((resolve) => setTimeout(resolve, 5))
  const lags = [...established].map(([name, at]) => Math.max(0, at - (answered.get(name) ?? at))).toSorted((a, b) => a - b)
  const last = Math.max(began, ...established.values())
  stop()
  for (const session of sessions) session.close()
  took.sort((a, b) => a - b)
  return {
    bench: 'crd', n, clients, properties, established: established.size,
    ops_s: (n * 1_000) / (created - began), established_s: (established.size * 1_000) / (last - began),
    p99_ms: took[Math.floor(took.length * 0.99)], lag_p99_ms: lags[Math.floor(lags.length * 0.99)],
  }
}

console.log(JSON.stringify(await load(JSON.parse(process.argv[2] ?? '{}') as Wish)))
process.exit(0)
