/** Durations as Go writes them: `1h30m`, `50s`, `1.5h`, `250ms`, `0`. In milliseconds. */

const units: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }
const part = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/gy

/** Throws when the text is no duration. */
export function parseDuration(text: string): number {
  const sign = text.startsWith('-') ? -1 : 1
  const body = text.replace(/^[+-]/, '')
  if (body === '0') return 0
  part.lastIndex = 0
  let ms = 0
  let end = 0
  for (let match = part.exec(body); match !== null; match = part.exec(body)) {
    ms += Number(match[1]) * (units[match[2] ?? ''] ?? Number.NaN)
    end = part.lastIndex
  }
  if (end === 0 || end !== body.length) throw new Error(`${JSON.stringify(text)} is not a duration: it looks like 30s, 5m or 1h30m`)
  return sign * ms
}

/** 90500 -> `1m30.5s`. */
export function goDuration(ms: number): string {
  const sign = ms < 0 ? '-' : ''
  const all = Math.abs(ms)
  if (all < 1_000) return all === 0 ? '0s' : `${sign}${all}ms`
  const hours = Math.floor(all / 3_600_000)
  const minutes = Math.floor(all / 60_000) % 60
  const seconds = (all % 60_000) / 1_000
  return `${sign}${hours > 0 ? `${hours}h` : ''}${hours > 0 || minutes > 0 ? `${minutes}m` : ''}${seconds}s`
}
