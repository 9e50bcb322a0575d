/**
 * What upstream's API server answered to objects of a few rich definitions (test/golden/custom), asked of customKinds():
 * what is kept of them, what is filled in, what is refused and in which words. The order of errors is by chance there.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { invalid, type ApiError, type StatusCause } from '../errors.ts'
import type { FieldError } from '../field.ts'
import type { Kind } from '../kind.ts'
import type { AnyObject } from '../meta.ts'
import { validateMeta, validateMetaUpdate } from '../metavalidation.ts'
import { pathSegment } from '../names.ts'
import type { CustomResourceDefinition } from '../schema/types.ts'
import type { FieldValidation } from '../schema/validate.ts'
import { cloneJson, deepFreeze } from '../../lib/json.ts'
import { customKinds } from './customkinds.ts'

interface Answer {
  readonly code: number
  readonly object?: AnyObject
  readonly stored?: AnyObject
  readonly message?: string
  readonly causes?: readonly StatusCause[]
  readonly warnings?: readonly string[]
}

interface Write {
  readonly title: string
  readonly verb: 'create' | 'update'
  readonly version: string
  readonly stage: number
  readonly subresource?: string
  readonly fieldValidation: FieldValidation
  readonly sent: AnyObject
  readonly prev?: AnyObject
  readonly answer: Answer
  /** What lay in etcd then. */
  readonly storedAfter?: AnyObject
}

interface Read {
  readonly title: string
  readonly verb: 'get'
  readonly version: string
  readonly stage: number
  readonly stored: AnyObject
  readonly answer: { readonly object: AnyObject; readonly warnings?: readonly string[] }
}

interface Shown {
  readonly title: string
  readonly verb: 'table'
  readonly version: string
  readonly stage: number
  readonly object: AnyObject
  readonly answer: { readonly columns: readonly Readonly<Record<string, unknown>>[]; readonly cells: readonly unknown[] }
}

interface Golden {
  readonly definitions: readonly CustomResourceDefinition[]
  readonly cases: readonly (Write | Read | Shown)[]
}

const folder = new URL('../../../test/golden/custom/', import.meta.url)
const env = { now: 0, user: '' }

const made = new Map<CustomResourceDefinition, readonly Kind<AnyObject>[]>()

function kindOf(crd: CustomResourceDefinition, version: string): Kind<AnyObject> {
  if (!made.has(crd)) made.set(crd, customKinds(crd))
  const kind = made.get(crd)?.find((each) => each.version === version)
  if (kind === undefined) throw new Error(`${version} is not served`)
  return kind
}

/** The answer to a write, made of the kind as the registry makes it. */
function answerTo(kind: Kind<AnyObject>, write: Write): Answer {
  const decoded = kind.custom?.decode(cloneJson(write.sent), { fieldValidation: write.fieldValidation, text: JSON.stringify(write.sent) })
  if (decoded === undefined) throw new Error('no custom kind')
  if (!decoded.ok) return refusal(decoded.error)
  const object = decoded.object
  object.metadata.namespace = 'default'
  const warnings = write.fieldValidation === 'Warn' ? [...decoded.warnings] : []
  if (kind.status !== undefined && write.verb === 'create') delete object['status']
  kind.applyDefaults?.(object)
  const prev = write.prev === undefined ? undefined : deepFreeze(cloneJson(write.prev))
  if (prev !== undefined) carryOver(kind, object, prev, write.subresource ?? '')
  const errors = prev === undefined ? createErrors(kind, object) : updateErrors(kind, object, prev, write.subresource ?? '')
  if (errors.length > 0) return refusal(invalid(kind, object.metadata.name ?? '', errors))
  if (write.subresource !== 'status') warnings.push(...(kind.strategy.warnings?.(object, prev) ?? []))
  const code = prev === undefined ? 201 : 200
  // What was written is shown as it is read again.
  const stored = kind.conversion?.toStored(object) ?? object
  return { code, stored, object: kind.conversion?.fromStored(deepFreeze(stored)) ?? object, ...(warnings.length === 0 ? {} : { warnings }) }
}

function carryOver(kind: Kind<AnyObject>, object: AnyObject, prev: Readonly<AnyObject>, subresource: string): void {
  const { status } = object
  if (prev.metadata.generation !== undefined) object.metadata.generation = prev.metadata.generation
  if (subresource === 'status') {
    for (const field of Object.keys(object)) delete object[field]
    Object.assign(object, cloneJson(prev), status === undefined ? {} : { status })
    if (status === undefined) delete object['status']
  } else if (kind.status !== undefined) {
    if (prev['status'] === undefined) delete object['status']
    else object['status'] = cloneJson(prev['status'])
  }
}

function createErrors(kind: Kind<AnyObject>, object: Readonly<AnyObject>): readonly FieldError[] {
  return [...validateMeta(object.metadata, kind), ...(kind.strategy.validateCreate?.(object, env) ?? [])]
}

function updateErrors(kind: Kind<AnyObject>, object: Readonly<AnyObject>, prev: Readonly<AnyObject>, subresource: string): readonly FieldError[] {
  const rules = subresource === 'status' ? kind.status : kind.strategy
  const meta = [...validateMeta(object.metadata, { namespaced: true, validateName: pathSegment }), ...validateMetaUpdate(object.metadata, prev.metadata)]
  return [...meta, ...(rules?.validateUpdate?.(object, prev, env) ?? [])]
}

function refusal(error: ApiError): Answer {
  const { code = 0, message = '', details } = error.status()
  return { code, message, causes: details?.causes ?? [] }
}

/** Who serves the kind says so with every answer; it is no business of the rules. */
function deprecated(kind: Kind<AnyObject>, answer: Answer): Partial<Answer> {
  return kind.deprecation === undefined ? {} : { warnings: answer.warnings ?? [] }
}

/** Without what depends on the order of Go's maps, and on the clock. */
function comparable(answer: Answer): unknown {
  const { code, object, message, causes = [], warnings } = answer
  if (object !== undefined) {
    const { generation: _, ...metadata } = object.metadata
    return { code, object: { ...object, metadata }, warnings: warnings ?? [] }
  }
  if (code !== 422) return { code, message }
  return { code, causes: causes.map((cause) => `${cause.field} ${cause.reason}: ${cause.message}`).sort() }
}

for (const file of readdirSync(folder)) {
  const { definitions, cases } = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Golden
  describe(`golden ${file}`, () => {
    for (const each of cases) {
      it(each.title, () => {
        const kind = kindOf(definitions[each.stage] as CustomResourceDefinition, each.version)
        if (each.verb === 'get') {
          const read = kind.conversion?.fromStored(deepFreeze(cloneJson(each.stored)))
          return expect({ object: read, warning: kind.deprecation }).toEqual({ object: each.answer.object, warning: each.answer.warnings?.[0] })
        }
        if (each.verb !== 'table') {
          const answer = answerTo(kind, each)
          expect(comparable(answer)).toEqual(comparable({ ...each.answer, ...deprecated(kind, answer) }))
          if (each.storedAfter !== undefined) expect({ ...answer.stored, metadata: { ...answer.stored?.metadata, generation: undefined } }).toEqual(each.storedAfter)
          return
        }
        const cells = kind.columns.map((column) => column.value(each.object, 0))
        return expect({ columns: kind.columns.map(({ name, type, format = '', priority = 0 }) => ({ name, type, format, priority })), cells }).toEqual({
          columns: each.answer.columns,
          cells: each.answer.cells.map((cell, i) => (each.answer.columns[i]?.['type'] === 'date' ? (cells[i] ?? null) : cell)),
        })
      })
    }
  })
}
