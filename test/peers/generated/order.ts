/** Answers whose errors stand in no order: upstream walks a Go map where it checks custom objects. */
import type { Answer } from '../send.ts'

interface Status {
  readonly message: string
  readonly details: { readonly causes: readonly unknown[] }
}

function isStatus(body: unknown): body is Status {
  return typeof body === 'object' && body !== null && 'message' in body && 'details' in body && typeof body.details === 'object' && body.details !== null && 'causes' in body.details
}

/** The same answer with its causes sorted, and the sentences of its message. */
export function inOrder(answer: Answer | undefined): Answer | undefined {
  if (answer === undefined || !isStatus(answer.body)) return answer
  const { message, details } = answer.body
  const causes = details.causes.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  const sentences = message.split(/, |: \[|\]$/).toSorted()
  return { ...answer, body: { ...answer.body, message: sentences.join(', '), details: { ...details, causes } } }
}
