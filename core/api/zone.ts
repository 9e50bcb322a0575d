/** Zones of time by their names in the IANA database: how far a zone is ahead of UTC at a time. */

/** Milliseconds; undefined for a zone that nobody knows. '' and Local are UTC: there is no place here but the API's. */
export function zoneOffsetMs(zone: string, ms: number): number | undefined {
  if (zone === '' || zone === 'UTC' || zone === 'Local') return 0
  const parts = formatter(zone)?.formatToParts(ms)
  if (parts === undefined) return undefined
  const part = (type: string): number => Number(parts.find((candidate) => candidate.type === type)?.value ?? 0)
  const date = new Date(0)
  date.setUTCFullYear(part('year'), part('month') - 1, part('day'))
  date.setUTCHours(part('hour'), part('minute'), part('second'))
  return date.getTime() - Math.floor(ms / 1_000) * 1_000
}

/** Making one is slow; there are not many zones. */
const formatters = new Map<string, Intl.DateTimeFormat>()

function formatter(zone: string): Intl.DateTimeFormat | undefined {
  const known = formatters.get(zone)
  if (known !== undefined) return known
  try {
    const made = new Intl.DateTimeFormat('en-US', {
      timeZone: zone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric',
    })
    formatters.set(zone, made)
    return made
  } catch {
    return undefined
  }
}
