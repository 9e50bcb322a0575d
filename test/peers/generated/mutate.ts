/** Objects that are changed in a few places, by what the schema says of each. */
import type { Definition, Type } from '../../../core/api/schema/schema.ts'
import type { Draw } from './draw.ts'
import { absentField, oddOf, valueOf } from './values.ts'
import { mapKeys } from './words.ts'

export type Json = Record<string, unknown>

/** A place in an object: who holds it, under which key, of what type. */
interface Place {
  readonly holder: Json | unknown[]
  readonly key: string
  readonly name: string
  readonly type: Type
}

/** Fields that decide where an object is and whether it is found again: left alone but now and then. */
const identity = new Set(['kind', 'apiVersion', 'name', 'namespace', 'metadata'])

/** A copy of the object with so many places changed. */
export function mutated(draw: Draw, object: Readonly<Json>, of: Definition, times: number): Json {
  const mine = structuredClone(object) as Json
  for (let i = 0; i < times; i++) mutateOnce(draw, mine, of)
  return mine
}

function mutateOnce(draw: Draw, object: Json, of: Definition): void {
  const top: Place[] = []
  const found = places(object, of, (place) => (place.holder === object && identity.has(place.key) ? top.push(place) : undefined))
  const metadata = object['metadata']
  const safe = found.filter((place) => !(place.holder === metadata && identity.has(place.key)))
  const deep = safe.filter((place) => !isUnder(metadata, place))
  const place = draw.chance(0.02) && top.length > 0 ? draw.one(top) : draw.chance(0.15) && safe.length > 0 ? draw.one(safe) : deep.length > 0 ? draw.one(deep) : undefined
  if (place === undefined || draw.chance(0.1)) return addField(draw, object, of)
  change(draw, place)
}

function isUnder(holder: unknown, place: Place): boolean {
  if (holder === place.holder) return true
  return typeof holder === 'object' && holder !== null && Object.values(holder).some((inner) => isUnder(inner, place))
}

function change(draw: Draw, place: Place): void {
  const { holder, key, type, name } = place
  const value = (holder as Json)[key]
  const put = (next: unknown): void => {
    ;(holder as Json)[key] = next
  }
  draw.weighted<void>([
    [5, () => put(oddOf(draw, type, name))],
    [2, () => put(valueOf(draw, type, name))],
    [2, () => remove(holder, key)],
    [Array.isArray(value) ? 6 : 0, () => changeList(draw, value as unknown[], type, name)],
    [isObject(value) && type.definition !== undefined ? 6 : 0, () => (type.definition === undefined ? undefined : addField(draw, value as Json, type.definition))],
    [isObject(value) && type.shape === 'map' ? 6 : 0, () => void ((value as Json)[draw.one(mapKeys)] = type.of === undefined ? null : valueOf(draw, type.of, name))],
    [isObject(value) ? 1 : 0, () => void ((value as Json)[draw.one(['nonsense', 'x-y', '', 'é', 'Spec', 'NAME'])] = draw.one<unknown>([1, 'x', null, {}]))],
    [isObject(value) ? 0.7 : 0, () => duplicate(draw, value as Json)],
  ])
}

function remove(holder: Json | unknown[], key: string): void {
  if (Array.isArray(holder)) holder.splice(Number(key), 1)
  else delete holder[key]
}

function addField(draw: Draw, object: Json, of: Definition): void {
  const field = absentField(draw, of, object)
  if (field !== undefined) object[field.name] = draw.chance(0.8) ? valueOf(draw, field.type, field.name) : oddOf(draw, field.type, field.name)
}

function changeList(draw: Draw, list: unknown[], type: Type, name: string): void {
  const of = type.of
  draw.weighted<void>([
    [3, () => void list.push(of === undefined ? null : valueOf(draw, of, name))],
    [2, () => void (list.length > 0 && list.push(structuredClone(draw.one(list))))],
    [1, () => void list.splice(0)],
    [1, () => void list.reverse()],
    [0.5, () => void list.push(null)],
    [0.2, () => void list.push(...Array.from({ length: 20 }, () => (of === undefined ? null : valueOf(draw, of, name))))],
  ])
}

/** Marks a field to stand twice in the text. */
function duplicate(draw: Draw, object: Json): void {
  const keys = Object.keys(object)
  if (keys.length > 0) object[`twice__${draw.one(keys)}`] = draw.one<unknown>([1, 'x'])
}

/** JSON text, with what duplicate() marked. */
export function textOf(value: unknown): string {
  return JSON.stringify(value)?.replaceAll('"twice__', '"') ?? 'null'
}

export function hasTwice(value: unknown): boolean {
  return JSON.stringify(value)?.includes('"twice__') ?? false
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Every place of an object whose type is known; those that `other` takes are not among them. */
function places(object: Json, of: Definition, other: (place: Place) => unknown): readonly Place[] {
  const found: Place[] = []
  const visit = (place: Place): void => {
    if (other(place) !== undefined) return
    found.push(place)
    below((place.holder as Json)[place.key], place.type, place.name)
  }
  const below = (value: unknown, type: Type, name: string): void => {
    if (Array.isArray(value) && type.of !== undefined) for (const key of value.keys()) visit({ holder: value, key: String(key), name, type: type.of })
    else if (isObject(value) && type.of !== undefined) for (const key of Object.keys(value as Json)) visit({ holder: value as Json, key, name, type: type.of })
    else if (isObject(value) && type.definition !== undefined) fields(value as Json, type.definition)
  }
  const fields = (value: Json, definition: Definition): void => {
    for (const key of Object.keys(value)) {
      const field = definition.fields.get(key)
      if (field !== undefined) visit({ holder: value, key, name: key, type: field.type })
    }
  }
  fields(object, of)
  return found
}
