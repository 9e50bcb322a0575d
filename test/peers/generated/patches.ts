/** Patches of the four types towards a changed object, and some towards nowhere. */
import type { Definition, Field } from '../../../core/api/schema/schema.ts'
import type { Draw } from './draw.ts'
import type { Json } from './mutate.ts'
import { oddOf } from './values.ts'

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

/** RFC 6902: what makes one of the other, now and then with operations that fail. */
export function jsonPatch(draw: Draw, from: Readonly<Json>, to: Readonly<Json>): unknown {
  const operations = operationsOf(from, to, '')
  if (draw.chance(0.3)) operations.push(oddOperation(draw, from))
  if (draw.chance(0.2)) operations.unshift({ op: 'test', path: draw.one(['/metadata/name', '/spec', '/kind', '/metadata/labels', '']), value: draw.one<unknown>(['x', null, from['kind']]) })
  return operations
}

function operationsOf(from: unknown, to: unknown, path: string): Json[] {
  if (isSame(from, to)) return []
  if (!isObject(from) || !isObject(to)) return [{ op: 'replace', path, value: to }]
  const made: Json[] = []
  for (const key of new Set([...Object.keys(from), ...Object.keys(to)])) {
    const at = `${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
    if (!Object.hasOwn(to, key)) made.push({ op: 'remove', path: at })
    else if (Object.hasOwn(from, key)) made.push(...operationsOf(from[key], to[key], at))
    else made.push({ op: 'add', path: at, value: to[key] })
  }
  return made
}

function oddOperation(draw: Draw, from: Readonly<Json>): Json {
  const paths = ['', '/', '/metadata/labels/x', '/metadata/annotations', '/spec/-', '/spec/0', '/spec/template/spec/containers/-', '/spec/template/spec/containers/0', '/metadata/finalizers/-', '/metadata/a~2b', 'metadata', '/metadata/name', '/data/a', '/data/01', ...Object.keys(from).map((key) => `/${key}`)]
  const op = draw.one(['add', 'remove', 'replace', 'test', 'copy', 'move', 'frob', 'ADD'])
  return { op, path: draw.one(paths), ...(op === 'copy' || op === 'move' ? { from: draw.one(paths) } : {}), ...(draw.chance(0.9) ? { value: draw.one<unknown>(['x', 1, null, {}, [], { a: 'b' }, [{ name: 'z' }]]) } : {}) }
}

/** RFC 7386. */
export function mergePatch(from: Readonly<Json>, to: Readonly<Json>): Json {
  const made: Json = {}
  for (const key of Object.keys(from)) if (!Object.hasOwn(to, key)) made[key] = null
  for (const [key, value] of Object.entries(to)) {
    const prev = from[key]
    if (isSame(prev, value)) continue
    made[key] = isObject(value) && isObject(prev) ? mergePatch(prev, value) : value
  }
  return made
}

/** A merge patch in which lists with keys are patched by key, and directives stand here and there. */
export function strategicPatch(draw: Draw, from: Readonly<Json>, to: Readonly<Json>, of: Definition | undefined): Json {
  const made = strategic(draw, from, to, of)
  if (draw.chance(0.4)) direct(draw, made, from, of)
  return made
}

function strategic(draw: Draw, from: Readonly<Json>, to: Readonly<Json>, of: Definition | undefined): Json {
  const made: Json = {}
  for (const key of Object.keys(from)) if (!Object.hasOwn(to, key)) made[key] = null
  for (const [key, value] of Object.entries(to)) {
    const prev = from[key]
    if (isSame(prev, value)) continue
    const field = of?.fields.get(key)
    if (isObject(value) && isObject(prev)) made[key] = strategic(draw, prev, value, field?.type.definition)
    else if (Array.isArray(value) && Array.isArray(prev) && field?.patchStrategy?.includes('merge') === true) patchList(draw, made, field, prev, value)
    else made[key] = value
  }
  return made
}

/** `$patch: delete` for what is gone, `$setElementOrder` for the order, `$deleteFromPrimitiveList` for sets. */
function patchList(draw: Draw, made: Json, field: Field, prev: readonly unknown[], next: readonly unknown[]): void {
  const key = field.patchMergeKey
  if (key === undefined || field.type.of?.shape !== 'object') {
    const gone = prev.filter((each) => !next.includes(each))
    if (gone.length > 0) made[`$deleteFromPrimitiveList/${field.name}`] = gone
    if (draw.chance(0.5)) made[`$setElementOrder/${field.name}`] = next
    made[field.name] = next
    return
  }
  const keyOf = (each: unknown): unknown => (isObject(each) ? each[key] : undefined)
  const gone = prev.filter((each) => !next.some((other) => isSame(keyOf(each), keyOf(other)))).map((each) => ({ [key]: keyOf(each), $patch: 'delete' }))
  const changed = next.filter((each) => !prev.some((other) => isSame(each, other))).map((each) => {
    const other = prev.find((one) => isSame(keyOf(one), keyOf(each)))
    return isObject(each) && isObject(other) ? { ...strategic(draw, other, each, field.type.of?.definition), [key]: keyOf(each) } : each
  })
  made[field.name] = [...changed, ...gone]
  if (draw.chance(0.6)) made[`$setElementOrder/${field.name}`] = next.map((each) => (isObject(each) ? { [key]: keyOf(each) } : each))
}

function direct(draw: Draw, patch: Json, from: Readonly<Json>, of: Definition | undefined): void {
  const [at, object, definition] = descend(draw, patch, from, of)
  const keys = Object.keys(object)
  const key = keys.length === 0 ? 'x' : draw.one(keys)
  draw.weighted<void>([
    [3, () => void (at['$patch'] = draw.one<unknown>(['replace', 'delete', 'merge', 'frob', null, 1]))],
    [3, () => void (at['$retainKeys'] = draw.one<unknown>([keys, [key], Object.keys(at), [], 'x', [1], null]))],
    [2, () => void (at[`$deleteFromPrimitiveList/${draw.one([key, 'finalizers', 'accessModes'])}`] = draw.one<unknown>([['x'], [], 'x', [{ a: 1 }], ['ReadWriteOnce']]))],
    [2, () => void (at[`$setElementOrder/${draw.one([key, 'containers', 'ports'])}`] = draw.one<unknown>([['x'], [], [{ name: 'c' }], [{ name: 'zz' }, { name: 'c' }], 'x', [{ port: 80 }]]))],
    [2, () => void (at[key] = draw.one<unknown>([null, [], {}, [{ $patch: 'replace' }], [{ $patch: 'delete' }], { $patch: 'replace' }, { $patch: 'delete' }]))],
    [1, () => void (at['$other'] = 'x')],
    [1, () => {
      const field = definition === undefined ? undefined : draw.one([...definition.fields.values()])
      if (field !== undefined) at[field.name] = oddOf(draw, field.type, field.name)
    }],
  ])
}

/** Some object in the patch, made on the way where there is none yet. */
function descend(draw: Draw, patch: Json, from: Readonly<Json>, of: Definition | undefined): readonly [Json, Readonly<Json>, Definition | undefined] {
  const inner = Object.keys(from).filter((key) => key !== 'metadata' && isObject(from[key]))
  if (inner.length === 0 || draw.chance(0.25)) return [patch, from, of]
  const key = draw.one(inner)
  const below = isObject(patch[key]) ? patch[key] : {}
  patch[key] = below
  return descend(draw, below, from[key] as Json, of?.fields.get(key)?.type.definition)
}
