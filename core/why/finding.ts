/** What an answer is made of: findings, each a cause in one clause with what proves it and what would help. Knows nothing of how causes are found. */

export interface Subject {
  /** As in objects: Pod, Deployment, ... */
  readonly kind: string
  /** '' for what has none. */
  readonly namespace: string
  readonly name: string
}

/** Lines under a title, folded away until somebody wants to know more. */
export interface Section {
  readonly title: string
  readonly lines: readonly string[]
}

export interface Finding {
  /** The cause without its subject, so that equal causes read alike: "cannot pull the image x: ...". Begins with a verb. */
  readonly because: string
  readonly about: Subject
  readonly sections: readonly Section[]
}

export interface Answer {
  readonly subject: Subject
  readonly healthy: boolean
  /** The cause (or that there is none), in one sentence. */
  readonly cause: string
  /** The most important first; the first one's sections are those of the cause. */
  readonly findings: readonly Finding[]
  /** What who asked may not read, so that the answer knows nothing of it. */
  readonly unread: readonly string[]
}

/** `pod default/web`, `node n1`. */
export function subjectText({ kind, namespace, name }: Subject): string {
  return `${wordOf(kind)} ${namespace === '' ? name : `${namespace}/${name}`}`
}

const words: Readonly<Record<string, string>> = { PersistentVolumeClaim: 'claim', PodDisruptionBudget: 'disruption budget', HorizontalPodAutoscaler: 'autoscaler' }

function wordOf(kind: string): string {
  return words[kind] ?? kind.toLowerCase()
}

/** Nobody reads more. */
const sectionLinesMax = 100

export function section(title: string, lines: readonly string[]): readonly Section[] {
  if (lines.length === 0) return []
  return [{ title, lines: lines.length <= sectionLinesMax ? lines : [...lines.slice(0, sectionLinesMax), `and ${lines.length - sectionLinesMax} more`] }]
}

/** `a, b and c`. */
export function listed(parts: readonly string[], last = 'and'): string {
  return parts.length < 2 ? (parts[0] ?? '') : `${parts.slice(0, -1).join(', ')} ${last} ${parts.at(-1)}`
}

/** The first few, and how many more there are. */
export function few(names: readonly string[], max = 3): string {
  return names.length <= max ? listed(names) : `${names.slice(0, max).join(', ')} and ${names.length - max} more`
}

export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`
}
