/** The rules of all kinds against what upstream's server (v1.36) answered for the same objects: test/golden/rules. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { FieldError } from './field.ts'
import type { Kind } from './kind.ts'
import { kinds } from './kinds.ts'
import { apiVersionOf, type AnyObject } from './meta.ts'
import { validateMeta, validateStandardFinalizers } from './metavalidation.ts'
import { path } from './field.ts'
import { applyDefaults } from './schema/defaults.ts'
import { definitionOf } from './schema/schema.ts'
import { decodeObject } from './schema/validate.ts'

interface Case {
  readonly name: string
  readonly object: AnyObject
  readonly want: readonly string[]
  readonly warnings: readonly string[]
}

const golden = (file: string): Case[] => JSON.parse(readFileSync(new URL(`../../test/golden/rules/${file}`, import.meta.url), 'utf8')) as Case[]
const env = { now: 0, user: 'admin' }

function kindOf(object: AnyObject): Kind {
  const kind = kinds.find((one) => apiVersionOf(one) === object.apiVersion && one.kind === object.kind)
  if (kind === undefined) throw new Error(`no kind ${object.apiVersion} ${object.kind}`)
  return kind
}

/** The way of an object to be created, as far as rules go. */
function created(sent: AnyObject): { readonly kind: Kind; readonly object: AnyObject } {
  const kind = kindOf(sent)
  const definition = definitionOf(kind.group, kind.version, kind.kind)
  if (definition === undefined) throw new Error(`no schema for ${kind.kind}`)
  const decoded = decodeObject<AnyObject>(definition, structuredClone(sent), { fieldValidation: 'Strict' })
  if (!decoded.ok) throw decoded.error
  const { object } = decoded
  if (kind.namespaced) object.metadata.namespace = 'default'
  applyDefaults(kind, object, env)
  Object.assign(object.metadata, { uid: 'UID', creationTimestamp: '1970-01-01T00:00:00Z' })
  if (kind.kind === 'Pod') (object['spec'] as { serviceAccountName?: string }).serviceAccountName ??= 'default'
  kind.strategy.prepareCreate?.(object, env)
  return { kind, object }
}

function findings({ kind, object }: { readonly kind: Kind; readonly object: AnyObject }): string[] {
  const errors: FieldError[] = [...validateMeta(object.metadata, kind), ...(kind.strategy.validateCreate?.(object, env) ?? [])]
  if (kind.group !== 'coordination.k8s.io') errors.push(...validateStandardFinalizers(object.metadata.finalizers, path('metadata', 'finalizers')))
  return errors.map((error) => error.message())
}

describe.each(['pods.json', 'kinds.json'])('objects of %s are judged as upstream judges them', (file) => {
  it.each(golden(file))('$name', ({ object, want, warnings }) => {
    const made = created(object)
    expect(findings(made).sort()).toEqual([...want].sort())
    if (want.length === 0) expect([...(made.kind.strategy.warnings?.(made.object, undefined) ?? [])].sort()).toEqual([...warnings].sort())
  })
})
