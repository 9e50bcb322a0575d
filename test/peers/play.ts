/** Plays a group of cases to one peer and gives its answers, normalised, by the cases' names. */
import type { Case, CaseGroup } from './case.ts'
import { normalAnswer } from './normal.ts'
import { Sends, type Answer, type Peer } from './send.ts'

const againMs = 50
const triesMax = 100

/** `sends`: a connection that is kept for more groups; theirs who opened it. */
export async function play(peer: Peer, group: Pick<CaseGroup, 'cases'>, kept?: Sends): Promise<ReadonlyMap<string, Answer>> {
  const sends = kept ?? new Sends(peer)
  const values = new Map<string, string>()
  const answers = new Map<string, Answer>()
  try {
    for (const one of group.cases) {
      if (one.upstreamNeedsMs !== undefined && peer.name === 'upstream') await new Promise((resolve) => setTimeout(resolve, one.upstreamNeedsMs))
      const answer = await patiently(sends, one, values)
      for (const [name, path] of Object.entries(one.save ?? {})) {
        const value = at(answer.body, path)
        if (value !== undefined) values.set(name, String(value))
        if (name === 'serviceAccountToken' && value !== undefined) sends.token('serviceAccount', String(value))
      }
      if (one.compare === 'none') {
        if (answer.code >= 400 || answer.code === 0) answers.set(one.name, answer)
        continue
      }
      answers.set(one.name, one.compare === 'code' ? { code: answer.code, headers: {}, body: undefined } : normalAnswer(answer, values))
    }
  } finally {
    if (kept === undefined) sends.close()
  }
  return answers
}

async function patiently(sends: Sends, one: Case, values: ReadonlyMap<string, string>): Promise<Answer> {
  for (let tries = 1; ; tries++) {
    const answer = await sends.send(one, values).catch((error: unknown): Answer => ({ code: 0, headers: {}, body: String(error) }))
    if (one.until === undefined || answer.code === one.until || tries === triesMax) return answer
    await new Promise((resolve) => setTimeout(resolve, againMs))
  }
}

function at(body: unknown, path: string): unknown {
  let value: unknown = body
  for (const name of path.split('.')) value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
  return value
}
