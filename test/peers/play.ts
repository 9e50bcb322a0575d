/** Plays a group of cases to one peer and gives its answers, normalised, by the cases' names. */
import type { CaseGroup } from './case.ts'
import { normalAnswer } from './normal.ts'
import { Sends, type Answer, type Peer } from './send.ts'

export async function play(peer: Peer, group: CaseGroup): Promise<ReadonlyMap<string, Answer>> {
  const sends = new Sends(peer)
  const values = new Map<string, string>()
  const answers = new Map<string, Answer>()
  try {
    for (const one of group.cases) {
      const answer = await sends.send(one, values).catch((error: unknown): Answer => ({ code: 0, headers: {}, body: String(error) }))
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
    sends.close()
  }
  return answers
}

function at(body: unknown, path: string): unknown {
  let value: unknown = body
  for (const name of path.split('.')) value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
  return value
}
