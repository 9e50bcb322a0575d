/**
 * Settings: one zod schema a command, with the flags' names as keys; a flag beats
 * the environment (KUBUN_CLUSTER_CIDR), which beats the config file, which beats
 * the default. Says what is wrong as one sentence (UsageError); reads nothing from
 * the machine itself: argv, environment and the file's text are handed in.
 */
import { isMap, isScalar, LineCounter, parseDocument } from 'yaml'
import * as z from 'zod'

export type FlagSchema = z.ZodObject<Record<string, z.ZodType>>

/** Wrong usage: the command exits with 2. */
export class UsageError extends Error {}

export interface Sources {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly file?: { readonly path: string; readonly text: string }
  /** Keys that other commands know: in a shared config file they are passed over, not refused. */
  readonly foreignKeys?: readonly string[]
}

export interface Resolved<S extends FlagSchema> {
  readonly flags: Readonly<z.output<S>>
  /** What is not a flag. */
  readonly words: readonly string[]
}

export function resolveFlags<S extends FlagSchema>(schema: S, sources: Sources): Resolved<S> {
  const given = new Map<string, { value: unknown; from: string }>()
  if (sources.file !== undefined) readFile(schema, sources.file, sources.foreignKeys ?? [], given)
  for (const key of Object.keys(schema.shape)) {
    const name = envName(key)
    const value = sources.env[name]
    if (value !== undefined) given.set(key, { value: fromText(schema, key, value, name), from: name })
  }
  const words = readArgv(schema, sources.argv, given)
  const input = Object.fromEntries([...given].map(([key, { value }]) => [key, value]))
  const result = schema.safeParse(input)
  if (result.success) return { flags: Object.freeze(result.data) as z.output<S>, words }
  const issue = result.error.issues[0]
  const key = String(issue?.path[0] ?? '')
  const source = given.get(key)
  if (source === undefined) throw new UsageError(`--${key} is required (or ${envName(key)}, or ${key} in the config file)`)
  throw new UsageError(`${source.from}: ${JSON.stringify(source.value)}: ${issue?.message ?? 'is not valid'}`)
}

/** `cluster-cidr` -> `KUBUN_CLUSTER_CIDR`. */
export function envName(key: string): string {
  return `KUBUN_${key.toUpperCase().replaceAll('-', '_')}`
}

/** One line a flag, for --help. */
export function describeFlags(schema: FlagSchema): string {
  const rows = Object.entries(schema.shape).map(([key, type]) => {
    const kind = kindOf(type)
    const fallback = type.safeParse(undefined)
    const shown = fallback.success && fallback.data !== undefined && kind === 'value' ? ` (default ${JSON.stringify(fallback.data)})` : ''
    return [`  --${key}${kind === 'boolean' ? '' : ' VALUE'}`, `${type.description ?? ''}${kind === 'list' ? ', may be repeated' : ''}${shown}`] as const
  })
  const width = Math.max(0, ...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `${left.padEnd(width)}  ${right}`).join('\n')
}

type FlagKind = 'boolean' | 'list' | 'value'

function kindOf(type: z.ZodType): FlagKind {
  if (type instanceof z.ZodDefault || type instanceof z.ZodOptional) return kindOf(type.unwrap() as z.ZodType)
  if (type instanceof z.ZodBoolean) return 'boolean'
  return type instanceof z.ZodArray ? 'list' : 'value'
}

function fromText(schema: FlagSchema, key: string, text: string, from: string): unknown {
  const type = schema.shape[key]
  const kind = type === undefined ? 'value' : kindOf(type)
  if (kind === 'list') return text.split(',')
  if (kind === 'value') return text
  if (text === 'true' || text === '1' || text === '') return true
  if (text === 'false' || text === '0') return false
  throw new UsageError(`${from}: ${JSON.stringify(text)}: must be true or false`)
}

function readArgv(schema: FlagSchema, argv: readonly string[], given: Map<string, { value: unknown; from: string }>): string[] {
  const words: string[] = []
  const lists = new Map<string, string[]>()
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] ?? ''
    if (word === '--') return [...words, ...argv.slice(i + 1)]
    if (!word.startsWith('--')) {
      words.push(word)
      continue
    }
    const equals = word.indexOf('=')
    const key = word.slice(2, equals < 0 ? undefined : equals)
    const type = schema.shape[key]
    if (type === undefined) throw new UsageError(`unknown flag --${key}; --help lists the flags`)
    const kind = kindOf(type)
    let text = equals < 0 ? undefined : word.slice(equals + 1)
    if (text === undefined && kind !== 'boolean') {
      text = argv[++i]
      if (text === undefined) throw new UsageError(`--${key} needs a value`)
    }
    if (kind === 'list') {
      const list = [...(lists.get(key) ?? []), ...(text ?? '').split(',')]
      lists.set(key, list)
      given.set(key, { value: list, from: `--${key}` })
    } else given.set(key, { value: fromText(schema, key, text ?? 'true', `--${key}`), from: `--${key}` })
  }
  return words
}

function readFile(
  schema: FlagSchema,
  file: { readonly path: string; readonly text: string },
  foreignKeys: readonly string[],
  given: Map<string, { value: unknown; from: string }>,
): void {
  const lines = new LineCounter()
  const document = parseDocument(file.text, { lineCounter: lines })
  const broken = document.errors[0]
  if (broken !== undefined) throw new UsageError(`${file.path}:${lines.linePos(broken.pos[0]).line}: ${broken.message.split('\n')[0]}`)
  if (document.contents === null) return
  if (!isMap(document.contents)) throw new UsageError(`${file.path}:1: must be a map of settings`)
  for (const pair of document.contents.items) {
    const key = isScalar(pair.key) ? String(pair.key.value) : ''
    const at = isScalar(pair.key) && pair.key.range ? lines.linePos(pair.key.range[0]).line : 1
    if (schema.shape[key] === undefined) {
      if (foreignKeys.includes(key)) continue
      throw new UsageError(`${file.path}:${at}: unknown key ${JSON.stringify(key)}`)
    }
    const value: unknown = document.get(key)
    const plain = value !== null && typeof value === 'object' && 'toJSON' in value ? (value as { toJSON(): unknown }).toJSON() : value
    const text = typeof plain === 'number' ? String(plain) : plain
    given.set(key, { value: text, from: `${file.path}:${at}: ${key}` })
  }
}
