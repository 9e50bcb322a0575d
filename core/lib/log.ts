/**
 * Log lines: one line an event, human first (`12:01:02.345 info  kubelet  pod started  pod=default/a`),
 * or JSON. The only file that writes to the console. What is logged and where is the caller's choice.
 */

export type Level = 'debug' | 'info' | 'warn' | 'error'
export type Fields = Readonly<Record<string, unknown>>

export interface Log {
  debug(message: string, fields?: Fields): void
  info(message: string, fields?: Fields): void
  warn(message: string, fields?: Fields): void
  error(message: string, fields?: Fields): void
  /** A log that adds these fields to every line. */
  with(fields: Fields): Log
}

const rank: Record<Level, number> = { debug: 0, info: 1, warn: 2, error: 3 }

export interface LogOptions {
  readonly level: Level
  readonly format: 'text' | 'json'
  readonly write: (line: string) => void
  readonly now: () => number
}

export function createLog(options: LogOptions, fields: Fields = {}): Log {
  const emit = (level: Level, message: string, more: Fields = {}): void => {
    if (rank[level] < rank[options.level]) return
    const all = { ...fields, ...more }
    const at = new Date(options.now()).toISOString()
    options.write(options.format === 'json' ? jsonLine(at, level, message, all) : textLine(at, level, message, all))
  }
  return {
    debug: (message, more) => emit('debug', message, more),
    info: (message, more) => emit('info', message, more),
    warn: (message, more) => emit('warn', message, more),
    error: (message, more) => emit('error', message, more),
    with: (more) => createLog(options, { ...fields, ...more }),
  }
}

/** Lines to standard error, as a server or agent writes them. */
export function consoleLog(level: Level, format: 'text' | 'json' = 'text'): Log {
  return createLog({ level, format, write: (line) => console.error(line), now: () => Date.now() })
}

/** Says nothing; what tests use unless they read the log. */
export const silentLog: Log = createLog({ level: 'error', format: 'text', write: () => {}, now: () => 0 })

function jsonLine(at: string, level: Level, message: string, fields: Fields): string {
  return JSON.stringify({ at, level, message, ...mapValues(fields) })
}

function textLine(at: string, level: Level, message: string, fields: Fields): string {
  const { part, ...rest } = fields
  const tail = Object.entries(rest).map(([key, value]) => `${key}=${show(value)}`)
  return [at.slice(11, 23), level.padEnd(5), part === undefined ? undefined : String(part), message, ...tail]
    .filter((word) => word !== undefined)
    .join(' ')
}

function mapValues(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, value instanceof Error ? show(value) : value]))
}

function show(value: unknown): string {
  if (value instanceof Error) return quote(errorPath(value))
  if (typeof value === 'string') return quote(value)
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

function quote(text: string): string {
  return /^[\w./:@%+-]+$/.test(text) ? text : JSON.stringify(text)
}

/** An error and its causes as one line: `start agent: read join token /etc/x: ENOENT`. A cause that the message tells already is not told twice. */
export function errorPath(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.cause === undefined) return error.message
  const cause = errorPath(error.cause)
  return error.message.endsWith(cause) ? error.message : `${error.message}: ${cause}`
}
