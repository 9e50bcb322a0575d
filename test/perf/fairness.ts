/**
 * One client's p99 while nobody else asks, and while another keeps a thousand requests in flight. Both are service accounts:
 * the same priority level, so what keeps them apart is fair queuing alone.
 */
import { connect, type ClientHttp2Session } from 'node:http2'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { poll, sleep, start } from '../support/process.ts'
import { accessOf, type Access } from './access.ts'
import type { Subject } from './load.ts'

export const inFlight = 1_000
/** Between two requests of the polite client. */
const paceMs = 10
/** Until the greedy client has its thousand in flight. */
const warmUpMs = 2_000

export interface Fairness {
  readonly what: string
  readonly idleP99Ms: number
  readonly busyP99Ms: number
  readonly idleP50Ms: number
  readonly busyP50Ms: number
  /** Answers to the greedy client in its last second, by code. */
  readonly greedy: Readonly<Record<string, number>>
}

export async function fairness(subject: Subject, dir: string, seconds: number): Promise<readonly Fairness[]> {
  const access = accessOf(subject.kubeconfig)
  const admin = connect(access.server, { ca: access.ca, cert: access.cert, key: access.key })
  try {
    const polite = await account(admin, 'polite')
    const greedy = await account(admin, 'greedy')
    const found: Fairness[] = []
    for (const greed of ['get', 'create'] as const) {
      for (const patient of [true, false]) {
        found.push(await against(access, { polite, greedy, greed, patient, dir, seconds }))
        await sleep(warmUpMs)
      }
    }
    return found
  } finally {
    admin.close()
  }
}

interface Duel {
  readonly polite: string
  readonly greedy: string
  readonly greed: 'get' | 'create'
  readonly patient: boolean
  readonly dir: string
  readonly seconds: number
}

async function against(access: Access, { polite, greedy, greed, patient, dir, seconds }: Duel): Promise<Fairness> {
  const idle = await times(access, polite, seconds)
  const log = join(dir, `greedy-${greed}-${String(patient)}.log`)
  const wish = { server: access.server, ca: access.ca, token: greedy, inFlight, patient, what: greed }
  // Nice, so that what is short is the server's time and not that of the two clients.
  const other = start('nice', ['-n', '20', process.execPath, join(import.meta.dirname, 'greedy.ts'), JSON.stringify(wish)], { log })
  try {
    await sleep(warmUpMs)
    const busy = await times(access, polite, seconds)
    const lines = readFileSync(log, 'utf8').trim().split('\n')
    return {
      what: `get beside ${inFlight} ${greed}s in flight of ${patient ? 'a client that waits when told to' : 'a client that never waits'}`,
      idleP99Ms: at(idle, 0.99), busyP99Ms: at(busy, 0.99), idleP50Ms: at(idle, 0.5), busyP50Ms: at(busy, 0.5),
      greedy: JSON.parse(lines.at(-1) ?? '{}') as Record<string, number>,
    }
  } finally {
    await other.stop()
  }
}

const readName = 'perf-fair'
const readPath = `/api/v1/namespaces/default/configmaps/${readName}`

/** Sorted times of one request after the other. */
async function times(access: Access, token: string, seconds: number): Promise<readonly number[]> {
  const session = connect(access.server, { ca: access.ca })
  const found: number[] = []
  try {
    const until = performance.now() + seconds * 1_000
    while (performance.now() < until) {
      const began = performance.now()
      const answer = await ask(session, 'GET', readPath, undefined, token)
      if (answer.code !== 200) throw new Error(`the polite client was answered ${answer.code}: ${answer.text}`)
      found.push(performance.now() - began)
      await sleep(paceMs)
    }
  } finally {
    session.close()
  }
  return found.toSorted((a, b) => a - b)
}

export function at(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}

/** A service account that may do everything in its namespace, and its token. */
async function account(admin: ClientHttp2Session, name: string): Promise<string> {
  const base = '/api/v1/namespaces/default'
  await ask(admin, 'POST', `${base}/serviceaccounts`, { metadata: { name } })
  const subject = { kind: 'ServiceAccount', name, namespace: 'default' }
  const role = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' }
  await ask(admin, 'POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', { metadata: { name: `perf-${name}` }, roleRef: role, subjects: [subject] })
  let token: string | undefined
  await poll('a token', 10_000, async () => {
    const answer = await ask(admin, 'POST', `${base}/serviceaccounts/${name}/token`, { spec: {} })
    token = answer.code === 201 ? (JSON.parse(answer.text) as { status: { token: string } }).status.token : undefined
    return token !== undefined || answer.text
  })
  await ask(admin, 'POST', `${base}/configmaps`, { metadata: { name: readName }, data: { text: 'x'.repeat(1_000) } }) // upstream's runs without controllers
  return token ?? ''
}

export function ask(session: ClientHttp2Session, method: string, path: string, body?: unknown, token?: string): Promise<{ readonly code: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { ':method': method, ':path': path, 'content-type': 'application/json', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) }
    const stream = session.request(headers, { endStream: body === undefined })
    let code = 0
    let text = ''
    stream.setEncoding('utf8')
    stream.on('response', (answer) => (code = Number(answer[':status'])))
    stream.on('data', (chunk: string) => (text += chunk))
    stream.on('end', () => resolve({ code, text }))
    stream.on('error', reject)
    if (body !== undefined) stream.end(JSON.stringify(body))
  })
}
