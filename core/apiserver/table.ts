/**
 * Objects as a meta.k8s.io Table, the form that kubectl get prints, from the columns that the kind describes; and as
 * PartialObjectMetadata, which carries an object's metadata only.
 */
import { badRequest } from '../api/errors.ts'
import type { Column, Kind } from '../api/kind.ts'
import type { AnyObject } from '../api/meta.ts'
import type { RequestInfo } from './request.ts'

export type IncludeObject = 'Metadata' | 'Object' | 'None'

/** Throws 400. */
export function includeObject(info: RequestInfo): IncludeObject {
  const asked = info.query.get('includeObject') ?? ''
  if (asked === '') return 'Metadata'
  if (asked === 'Metadata' || asked === 'Object' || asked === 'None') return asked
  throw badRequest(
    `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(asked)}: must be 'Metadata', 'Object', 'None', or empty`,
  )
}

export interface Table {
  readonly kind: 'Table'
  readonly apiVersion: string
  readonly metadata: Readonly<Record<string, unknown>>
  readonly columnDefinitions: readonly Readonly<Record<string, unknown>>[] | null
  readonly rows: readonly Row[]
}

interface Row {
  readonly cells: readonly unknown[]
  readonly object: unknown
}

export interface TableInit {
  readonly kind: Kind
  readonly objects: readonly Readonly<AnyObject>[]
  readonly metadata: Readonly<Record<string, unknown>>
  readonly include: IncludeObject
  /** Version of meta.k8s.io. */
  readonly version: string
  readonly now: number
  /** Later events of a watch leave the definitions out. */
  readonly headers: boolean
}

export function tableOf(init: TableInit): Table {
  const { kind, version, now } = init
  const objects = kind.rowOrder === undefined ? init.objects : init.objects.toSorted(kind.rowOrder)
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${version}`,
    metadata: init.metadata,
    columnDefinitions: init.headers ? definitionsOf(kind) : null,
    rows: objects.map((object) => ({
      cells: kind.columns.map((column: Column<AnyObject>) => column.value(object, now)),
      object: init.include === 'None' ? null : init.include === 'Object' ? object : partialMetadata(object, version),
    })),
  }
}

const definitions = new WeakMap<Kind, readonly Readonly<Record<string, unknown>>[]>()

function definitionsOf(kind: Kind): readonly Readonly<Record<string, unknown>>[] {
  const known = definitions.get(kind)
  if (known !== undefined) return known
  const made = kind.columns.map((column: Column<AnyObject>) => ({
    name: column.name,
    type: column.type,
    format: column.format ?? '',
    description: column.description ?? '',
    priority: column.priority ?? 0,
  }))
  definitions.set(kind, made)
  return made
}

export function partialMetadata(object: Readonly<AnyObject>, version: string): Readonly<AnyObject> {
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata: object.metadata }
}
