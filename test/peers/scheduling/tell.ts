/** Comparisons as text: how many agree, part by part, and what differs, beside each other. */
import type { Comparison, Difference } from './parts.ts'

export function count(comparisons: readonly Comparison[], parts: readonly string[]): string {
  return parts.map((part) => {
    const own = comparisons.filter((each) => each.part === part)
    const wrong = own.filter(({ difference }) => difference !== undefined).length
    const cases = new Set(own.flatMap(({ difference }) => (difference === undefined ? [] : [difference.number]))).size
    return `${part.padEnd(38)} ${String(own.length - wrong).padStart(6)} agree ${String(wrong).padStart(6)} differ${wrong === 0 ? '' : ` in ${cases} cases`}${own.length === 0 ? '  (nothing to compare)' : ''}`
  }).join('\n')
}

export function shown({ part, number, pod, theirs, ours }: Difference): string {
  return `case ${number}, pod ${pod}, ${part}:\n${lines(theirs, ours).join('\n')}`
}

/** Members that differ; texts and lists whole. */
function lines(theirs: unknown, ours: unknown): readonly string[] {
  if (!isRecord(theirs) || !isRecord(ours)) return [`  upstream ${text(theirs)}`, `  ours     ${text(ours)}`]
  const keys = [...new Set([...Object.keys(theirs), ...Object.keys(ours)])].toSorted()
  return keys.filter((key) => text(theirs[key]) !== text(ours[key])).flatMap((key) => [`  ${key}: upstream ${text(theirs[key])}`, `  ${' '.repeat(key.length)}  ours     ${text(ours[key])}`])
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : value === undefined ? 'nothing' : JSON.stringify(value)
}
