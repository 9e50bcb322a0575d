/** Differences as lines to read: the parts that tell, long values cut, what two long sentences share left out. */
import type { Difference } from './normal.ts'

export function shown(found: readonly Difference[], full: boolean): string {
  return (full ? found : essential(found)).map(({ path, want, have }) => {
    const from = full ? 0 : sharedStart(want, have)
    return `  ${path}\n    upstream ${short(want, from)}\n    ours     ${short(have, from)}`
  }).join('\n')
}

/** Where the codes differ, every field of the answers does; two of them tell enough. */
function essential(found: readonly Difference[]): readonly Difference[] {
  return found.some(({ path }) => path === 'code') ? found.filter(({ path }) => path === 'code' || path === 'body.message') : found
}

const contextMax = 60
const shownMax = 600

/** How much of two long sentences is the same and need not be shown. */
function sharedStart(want: unknown, have: unknown): number {
  if (typeof want !== 'string' || typeof have !== 'string') return 0
  let at = 0
  while (at < want.length && want[at] === have[at]) at++
  return Math.max(0, at - contextMax)
}

function short(value: unknown, from: number): string {
  const text = from > 0 && typeof value === 'string' ? `...${JSON.stringify(value.slice(from))}` : (JSON.stringify(value) ?? 'nothing')
  return text.length > shownMax ? `${text.slice(0, shownMax)}...` : text
}
