/** Where our answers may differ from upstream's, each with its reason. A line that nothing needs any more should go. */
import { differences, type Difference } from './normal.ts'
import type { Answer } from './send.ts'

interface Accepted {
  /** Of `group/case`. */
  readonly cases: RegExp
  /** Of the place in the answer: code, headers.x, body.x.y */
  readonly paths: RegExp
  /** Where not every difference there will do. */
  readonly when?: (want: unknown, have: unknown) => boolean
  readonly reason: string
}

const isAbsent = (value: unknown): boolean => value === undefined || (Array.isArray(value) && value.length === 0)

/** A sentence without the documents and diffs that it quotes. */
function withoutDocuments(sentence: string): string {
  const plain = sentence.replaceAll(/\n[@ +\-\\][^\n]*/g, '').replaceAll(/\n(?=\]$|, |$)/g, '')
  const marks = /Invalid value: (?=[[{])/g
  let to = ''
  let at = 0
  for (let found = marks.exec(plain); found !== null; found = marks.exec(plain)) {
    if (found.index < at) continue
    to += `${plain.slice(at, found.index)}Invalid value: <document>`
    at = documentEnd(plain, found.index + found[0].length)
  }
  return to + plain.slice(at)
}

/** Where the JSON that begins at `from` ends. */
function documentEnd(text: string, from: number): number {
  let depth = 0
  for (let at = from; at < text.length; at++) {
    if (text[at] === '"') while (++at < text.length && text[at] !== '"') at += text[at] === '\\' ? 1 : 0
    else if (text[at] === '{' || text[at] === '[') depth++
    else if ((text[at] === '}' || text[at] === ']') && --depth === 0) return at + 1
  }
  return text.length
}

export const accepted: readonly Accepted[] = [
  {
    cases: /^reviews\/(raw field selector (of another node|that is none)|field requirement (that excludes|of two values)|node that is odd)$/,
    paths: /^body\.status\.(allowed|reason)$/,
    reason: 'proxy, DNS and network policies run as their node here: it reads pods, Services and nodes of all',
  },
  {
    cases: /^reviews\/bound to a (secret|node|pod)$/,
    paths: /^body\.metadata\.managedFields/,
    reason: 'a request for a token is answered without managed fields: nothing of it is kept',
  },
  {
    cases: /./,
    paths: /^body\./,
    when: (want, have) => want === null && isAbsent(have),
    reason: 'what Go writes as null for lack of a pointer (a time, a list) is left out here; clients read both the same',
  },
  {
    cases: /^writes\/update that adds a finalizer/,
    paths: /^body\.details\.causes\.[23]$/,
    reason: 'upstream checks the finalizers of a ConfigMap twice on an update and lists each cause twice; the message names each once',
  },
  {
    cases: /^apply\/conflict with what is shared$/,
    paths: /^body\.details\.causes\./,
    reason: 'upstream names the managers of a shared field in no order',
  },
  {
    cases: /^definitions\//,
    paths: /^body\.metadata\.managedFields\./,
    reason: 'entries stand in the order of their times, which are whole seconds: whether controllers come in the same one is chance',
  },
  {
    cases: /^conversions\/[^:]*$/,
    paths: /metadata\.managedFields\./,
    reason: 'who owns a field is kept in the fields of the version that was written; upstream compares in that version what the other one made of it',
  },
  {
    cases: /^conversions\/.*: object after$/,
    paths: /^body\.metadata\.managedFields\.1$/,
    reason: 'a Scale of 0 leaves its number out, and upstream forgets who scaled to nothing',
  },
  {
    cases: /^kinds\/ipaddresses/,
    paths: /^body\.rows\.0\.cells\.2$/,
    reason: 'upstream has a cell more than columns there, which nobody can show',
  },
  {
    cases: /^invalid\/Pod: /,
    paths: /^body\.(message|details\.causes\.\d+\.message)$/,
    when: (want, have) => typeof want === 'string' && typeof have === 'string' && want.includes('\n@@') && want.split('\n@@')[0] === have.split('\n@@')[0],
    reason: 'the sentence is the same; the diff after it shows the API type where upstream shows its internal one',
  },
  {
    cases: /^generated\//,
    paths: /^body\.(message|details\.causes\.\d+\.message)$/,
    when: (want, have) => typeof want === 'string' && typeof have === 'string' && withoutDocuments(want) === withoutDocuments(have),
    reason: 'the sentences are the same; objects and diffs quoted in them are of the API type where upstream quotes its internal one',
  },
  {
    cases: /^generated\/\d+ (flowschemas|prioritylevelconfigurations)/,
    paths: /^body\.(items\.\d+\.|\d+\.object\.)?(status\.conditions|metadata\.managedFields)/,
    reason: 'a controller says at some moment whether the priority level is there',
  },
  {
    cases: /^generated\//,
    paths: /^body\.message$/,
    when: (want, have) => /, Key: /.test(String(want)) && String(want).replace(/, Key: [^,]*/, '') === String(have).replace(/, Key: [^,]*/, ''),
    reason: 'the key is the place in upstream\'s own store',
  },
  {
    cases: /^generated\//,
    paths: /^(code|headers.*|body.*|)$/,
    when: (want) => want === 0 || /socket|hang up|ECONNRESET/.test(String(want)),
    reason: 'upstream crashes in the middle of the answer',
  },
  {
    cases: /^generated\/\d+ apiservices/,
    paths: /^body\.(items\.\d+\.|\d+\.object\.)?(status|metadata\.managedFields)/,
    reason: 'a controller looks for the Service at some moment',
  },
  {
    cases: /: table$/,
    paths: /^body\.rows\.\d+\.cells\.\d+$/,
    when: (want, have) => /^\ds$/.test(String(want)) && /^\ds$/.test(String(have)),
    reason: 'ages of a second more or less',
  },
  {
    cases: /^discovery\/\/version$/,
    paths: /^body\.(gitCommit|buildDate|goVersion|compiler|gitVersion)$/,
    reason: 'another program, built otherwise',
  },
  {
    cases: /^discovery\/\/openapi\/v3\/nonsense$/,
    paths: /^(headers\.content-type|body)$/,
    reason: 'a 404 without a body; ours has one',
  },

  {
    cases: /./,
    paths: /^body\.items\.\d+\.(kind|apiVersion)$/,
    reason: 'each object is serialised once, with its type, for get, list and watch alike; clients fill it in from the list where it is missing',
  },
  {
    cases: /^waits\/resourceVersion of the future$/,
    paths: /^(headers\.content-type|body\.kind|body\.apiVersion)$/,
    reason: 'the answer to a deadline that passed is a whole Status like every other error',
  },
]

/**
 * Generated requests are wrong in many ways at once, and upstream's layers check some of them twice: each cause counts once there.
 * The message, which names each once, is compared as it is.
 */
function withoutRepeats(answer: Answer | undefined): Answer | undefined {
  const body = answer?.body as { readonly details?: { readonly causes?: readonly unknown[] } } | null | undefined
  if (answer === undefined || !Array.isArray(body?.details?.causes)) return answer
  const causes = new Map(body.details.causes.map((cause: unknown) => [withoutDocuments(JSON.stringify(cause)), cause]))
  return { ...answer, body: { ...body, details: { ...body.details, causes: [...causes.values()] } } }
}

/** What differs without being accepted. */
export function unexpected(group: string, name: string, want: Answer | undefined, have: Answer | undefined): readonly Difference[] {
  const rules = accepted.filter(({ cases }) => cases.test(`${group}/${name}`))
  const found = group === 'generated' ? differences(withoutRepeats(want), withoutRepeats(have)) : differences(want, have)
  return found.filter((found) => !rules.some(({ paths, when }) => paths.test(found.path) && (when?.(found.want, found.have) ?? true)))
}
