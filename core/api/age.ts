/** Durations as kubectl shows ages: `45s`, `3m12s`, `5h`, `2d4h` (k8s.io/apimachinery/pkg/util/duration). */

const minuteS = 60
const hourS = 60 * minuteS
const dayS = 24 * hourS
const yearS = 365 * dayS

/** Below `belowS` seconds: so many of `unitS` are shown, with the rest in `restS` units where there is one. */
const scales: readonly { readonly belowS: number; readonly unitS: number; readonly unit: string; readonly restS?: number; readonly rest?: string }[] = [
  { belowS: 120, unitS: 1, unit: 's' },
  { belowS: 10 * minuteS, unitS: minuteS, unit: 'm', restS: 1, rest: 's' },
  { belowS: 180 * minuteS, unitS: minuteS, unit: 'm' },
  { belowS: 8 * hourS, unitS: hourS, unit: 'h', restS: minuteS, rest: 'm' },
  { belowS: 48 * hourS, unitS: hourS, unit: 'h' },
  { belowS: 8 * dayS, unitS: dayS, unit: 'd', restS: hourS, rest: 'h' },
  { belowS: 2 * yearS, unitS: dayS, unit: 'd' },
  { belowS: 8 * yearS, unitS: yearS, unit: 'y', restS: dayS, rest: 'd' },
  { belowS: Infinity, unitS: yearS, unit: 'y' },
]

export function humanDuration(ms: number): string {
  const seconds = Math.trunc(ms / 1_000)
  if (seconds < -1) return '<invalid>'
  if (seconds < 0) return '0s'
  for (const { belowS, unitS, unit, restS, rest } of scales) {
    if (seconds >= belowS) continue
    const left = restS === undefined ? 0 : Math.floor((seconds % unitS) / restS)
    return `${Math.floor(seconds / unitS)}${unit}${left === 0 ? '' : `${left}${rest}`}`
  }
  return '<invalid>'
}

/** Time since an RFC 3339 timestamp; `<unknown>` where there is none. */
export function since(timestamp: string | null | undefined, now: number): string {
  return timestamp === undefined || timestamp === null || timestamp === '' ? '<unknown>' : humanDuration(now - Date.parse(timestamp))
}
