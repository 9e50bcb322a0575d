/**
 * Times as the API writes them: RFC 3339 in UTC, whole seconds (Time) or six decimals (MicroTime). Reading what clients
 * send, with Go's complaints, is schema/canonical.ts; ages as kubectl shows them are age.ts.
 */

/** Milliseconds since the epoch -> `2026-01-02T15:04:05Z`. */
export function formatTime(ms: number): string {
  const second = Math.floor(ms / 1_000)
  if (second !== lastSecond) {
    lastText = `${new Date(second * 1_000).toISOString().slice(0, 19)}Z`
    lastSecond = second
  }
  return lastText
}

/** Writes come by the thousand a second. */
let lastSecond = NaN
let lastText = ''

/** Milliseconds since the epoch -> `2026-01-02T15:04:05.123000Z`. */
export function formatMicroTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 23)}000Z`
}

/** RFC 3339 in any zone -> milliseconds since the epoch; undefined for anything else. */
export function parseTime(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[-+]\d\d:\d\d)$/.test(text)) return undefined
  const ms = Date.parse(text)
  return Number.isNaN(ms) ? undefined : ms
}
