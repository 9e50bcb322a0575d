/** What two values differ in, as a unified diff of their indented JSON: what upstream adds to "may not change" sentences (k8s.io/apimachinery/pkg/util/diff). */

const contextLines = 3
/** Lines beyond which no diff is computed: the table below is quadratic. */
const linesMax = 1_500

export function diffText(before: unknown, after: unknown): string {
  const [a, b] = [lines(before), lines(after)]
  if (a.length > linesMax || b.length > linesMax) return ''
  return hunks(steps(a, b)).join('')
}

function lines(value: unknown): string[] {
  return JSON.stringify(value ?? null, sorted, 1).split('\n')
}

/** Fields in one order, so that only values make a difference. */
function sorted(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}

interface Step {
  readonly mark: ' ' | '-' | '+'
  readonly text: string
  readonly a: number
  readonly b: number
}

/** The way from a to b by a longest common subsequence. */
function steps(a: readonly string[], b: readonly string[]): Step[] {
  const width = b.length + 1
  const common = new Uint16Array((a.length + 1) * width)
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const here = i * width + j
      common[here] = a[i] === b[j] ? (common[here + width + 1] ?? 0) + 1 : Math.max(common[here + width] ?? 0, common[here + 1] ?? 0)
    }
  }
  const found: Step[] = []
  let [i, j] = [0, 0]
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) found.push({ mark: ' ', text: a[i] ?? '', a: i++, b: j++ })
    else if (i < a.length && (j >= b.length || (common[(i + 1) * width + j] ?? 0) >= (common[i * width + j + 1] ?? 0))) found.push({ mark: '-', text: a[i] ?? '', a: i++, b: j })
    else found.push({ mark: '+', text: b[j] ?? '', a: i, b: j++ })
  }
  return found
}

function hunks(all: readonly Step[]): string[] {
  const out: string[] = []
  let at = 0
  while (at < all.length) {
    const first = all.findIndex((step, i) => i >= at && step.mark !== ' ')
    if (first < 0) break
    let last = first
    for (let i = first; i < all.length && i - last <= 2 * contextLines; i++) if (all[i]?.mark !== ' ') last = i
    const from = Math.max(first - contextLines, at)
    const hunk = all.slice(from, Math.min(last + contextLines + 1, all.length))
    out.push(header(hunk), ...hunk.map((step) => `${step.mark}${step.text}\n`))
    at = from + hunk.length
  }
  return out
}

function header(hunk: readonly Step[]): string {
  const range = (side: 'a' | 'b', skip: '-' | '+'): string => {
    const count = hunk.filter((step) => step.mark !== skip).length
    const start = (hunk[0]?.[side] ?? 0) + 1
    return count === 1 ? String(start) : `${count === 0 ? start - 1 : start},${count}`
  }
  return `@@ -${range('a', '+')} +${range('b', '-')} @@\n`
}
