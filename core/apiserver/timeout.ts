/** The `timeout` parameter: Go's duration syntax; at most the server's own limit. */
import { badRequest } from '../api/errors.ts'

export const requestMsMax = 60_000

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
}

/** Throws 400 for what is no duration. */
export function requestTimeoutMs(text: string | undefined): number {
  if (text === undefined || text === '') return requestMsMax
  const ms = durationMs(text)
  if (ms === undefined)
    throw badRequest(`invalid timeout specified in the request URL - time: invalid duration ${JSON.stringify(text)}`)
  return ms <= 0 ? requestMsMax : Math.min(ms, requestMsMax)
}

function durationMs(text: string): number | undefined {
  if (text === '0') return 0
  if (!/^[+-]?(\d+(\.\d*)?(ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined
  let ms = 0
  for (const [, amount = '0', , unit = 's'] of text.matchAll(/(\d+(\.\d*)?)(ns|us|µs|ms|s|m|h)/g))
    ms += Number(amount) * (unitMs[unit] ?? 0)
  return text.startsWith('-') ? -ms : ms
}
