/** A client that gets one small object every few milliseconds while something else is measured: what others notice. */
import { connect } from 'node:http2'
import { sleep } from '../support/process.ts'
import type { Access } from './access.ts'
import { ask, at } from './fairness.ts'

const paceMs = 20
const path = '/api/v1/namespaces/default'

export interface Noticed {
  readonly p50Ms: number
  readonly p99Ms: number
}

export async function probing(access: Access): Promise<{ end(): Promise<Noticed> }> {
  const session = connect(access.server, { ca: access.ca, cert: access.cert, key: access.key })
  const times: number[] = []
  let over = false
  const once = async (): Promise<void> => {
    const began = performance.now()
    const { code, text } = await ask(session, 'GET', path)
    if (code !== 200) throw new Error(`the probe was answered ${code}: ${text}`)
    times.push(performance.now() - began)
  }
  await once()
  times.length = 0 // the connection is made
  const all = (async (): Promise<void> => {
    while (!over) {
      await once()
      await sleep(paceMs)
    }
  })()
  all.catch(() => {}) // told at the end
  return {
    async end() {
      over = true
      await all.finally(() => session.close())
      const sorted = times.toSorted((a, b) => a - b)
      return { p50Ms: at(sorted, 0.5), p99Ms: at(sorted, 0.99) }
    },
  }
}
