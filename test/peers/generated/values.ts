/** Values for a type of the schema: mostly what belongs there, sometimes not. */
import type { Definition, Field, Type } from '../../../core/api/schema/schema.ts'
import type { Draw } from './draw.ts'
import { mapKeys, odd, odds, usual } from './words.ts'

/** How deep made objects go: JSON schemas hold themselves. */
const depthMax = 5
/** An optional field is filled with this chance, which falls with every level. */
const fillChance = 0.35

export function valueOf(draw: Draw, type: Type, name: string, depth = 0): unknown {
  if (type.shape === 'list') return Array.from({ length: draw.weighted([[6, () => 1], [3, () => 2], [1, () => 0]]) }, () => (type.of === undefined ? null : valueOf(draw, type.of, name, depth + 1)))
  if (type.shape === 'map') return Object.fromEntries(Array.from({ length: draw.int(3) }, () => [draw.one(mapKeys), type.of === undefined ? null : valueOf(draw, type.of, name, depth + 1)]))
  if (type.shape === 'object' && type.definition !== undefined) return objectOf(draw, type.definition, depth)
  if (type.shape === 'string') return draw.chance(0.9) ? draw.one(usual[name] ?? odd.slice(0, 10)) : draw.one(odd)
  const known = odds[type.shape]
  // The first of a list are the good ones.
  return known === undefined ? draw.one<unknown>([{}, 'x', [], true]) : draw.one<unknown>(draw.chance(0.7) ? known.slice(0, 4) : known)
}

function objectOf(draw: Draw, of: Definition, depth: number): Record<string, unknown> {
  const made: Record<string, unknown> = {}
  for (const field of of.fields.values()) {
    if (depth >= depthMax && field.type.shape === 'object' && !field.required) continue
    if (draw.chance(field.required ? 0.9 : fillChance / (depth + 1))) made[field.name] = valueOf(draw, field.type, field.name, depth + 1)
  }
  return made
}

/** Something that does not belong where a value of this type is wanted, or just does. */
export function oddOf(draw: Draw, type: Type, name: string): unknown {
  return draw.weighted<unknown>([
    [4, () => (type.shape === 'string' ? draw.one([...(usual[name] ?? []), ...odd]) : draw.one<unknown>(odds[type.shape] ?? [null, {}, []]))],
    [2, () => valueOf(draw, type, name)],
    [1, () => draw.one<unknown>([null, {}, [], '', 'x', 0, -1, 1.5, true, [null], [[]], { a: null }, 1e20])],
  ])
}

/** A field that the object does not have yet, if its definition has one more. */
export function absentField(draw: Draw, of: Definition, object: Readonly<Record<string, unknown>>): Field | undefined {
  const absent = [...of.fields.values()].filter((field) => !Object.hasOwn(object, field.name))
  return absent.length === 0 ? undefined : draw.one(absent)
}
