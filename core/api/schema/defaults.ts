/**
 * Fills what a client left out, as upstream's server does after decoding: the table's own defaults, and the rules in
 * defaults/<group>.ts, outermost object first. Objects are in decoded form (validate.ts) and are changed in place.
 *
 * Which parts of a kind can have defaults at all is found once for each definition, so that the rest is not visited.
 */
import { roundUpToMilli } from './canonical.ts'
import { admissionregistrationDefaults } from './defaults/admissionregistration.ts'
import { appsDefaults } from './defaults/apps.ts'
import { autoscalingDefaults } from './defaults/autoscaling.ts'
import { batchDefaults } from './defaults/batch.ts'
import { coreDefaults } from './defaults/core.ts'
import { extensionsDefaults } from './defaults/extensions.ts'
import { flowcontrolDefaults } from './defaults/flowcontrol.ts'
import { networkingDefaults } from './defaults/networking.ts'
import { rbacDefaults } from './defaults/rbac.ts'
import { resourceDefaults } from './defaults/resource.ts'
import { storageDefaults } from './defaults/storage.ts'
import { definitionOf } from './schema.ts'
import type { Definition, Field } from './schema.ts'

export interface DefaultsEnv {
  /** Milliseconds since the epoch; a few defaults are the time of writing. */
  readonly now: number
}

/** A rule for the objects of one definition. */
export type Rule = (object: never, env: DefaultsEnv) => void
/** By the definition's short name. */
export type Rules = Readonly<Record<string, Rule>>

const rules: Rules = {
  ...coreDefaults,
  ...appsDefaults,
  ...batchDefaults,
  ...autoscalingDefaults,
  ...rbacDefaults,
  ...networkingDefaults,
  ...storageDefaults,
  ...admissionregistrationDefaults,
  ...extensionsDefaults,
  ...flowcontrolDefaults,
  ...resourceDefaults,
}

/** Does nothing for kinds that are not built in. */
export function applyDefaults(gvk: { readonly group: string; readonly version: string; readonly kind: string }, object: object, env: DefaultsEnv = { now: 0 }): void {
  const of = definitionOf(gvk.group, gvk.version, gvk.kind)
  if (of !== undefined) defaultsOf(of)?.(object as Values, env)
}

type Values = Record<string, unknown>
type Visit = (object: Values, env: DefaultsEnv) => void

/** What to do with the value of a field that has something to default inside. */
interface Step {
  readonly name: string
  readonly shape: 'object' | 'list' | 'map' | 'resources'
  readonly inner: Definition | undefined
}

/** undefined: nothing to default, neither here nor below. */
const visits = new Map<Definition, Visit | undefined>()

function defaultsOf(of: Definition): Visit | undefined {
  if (visits.has(of)) return visits.get(of)
  const visit = hasDefaults(of, new Set()) ? makeVisit(of) : undefined
  visits.set(of, visit)
  return visit
}

function hasDefaults(of: Definition, seen: Set<Definition>): boolean {
  if (seen.has(of)) return false
  seen.add(of)
  if (rules[of.name] !== undefined) return true
  for (const field of of.fields.values()) {
    if (ownDefault(field) !== undefined || isResourceList(field)) return true
    const inner = innerDefinition(field)
    if (inner !== undefined && (visits.get(inner) !== undefined || hasDefaults(inner, seen))) return true
  }
  return false
}

/** The default of the field itself, where it is more than Go's zero value. */
function ownDefault(field: Field): string | number | boolean | undefined {
  const value = field.default
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return undefined
  return field.pointer || (value !== '' && value !== 0 && value !== false) ? value : undefined
}

function isResourceList(field: Field): boolean {
  return field.goType === 'v1.ResourceList'
}

function innerDefinition(field: Field): Definition | undefined {
  return field.type.definition ?? field.type.of?.definition
}

function makeVisit(of: Definition): Visit {
  const rule = rules[of.name] as Visit | undefined
  const own: [string, unknown][] = []
  let steps: readonly Step[] | undefined
  for (const field of of.fields.values()) {
    const value = ownDefault(field)
    if (value !== undefined) own.push([field.name, value])
  }
  return (object, env) => {
    rule?.(object, env)
    for (const [name, value] of own) object[name] ??= value
    steps ??= stepsOf(of)
    for (const step of steps) {
      const value = object[step.name]
      if (value !== undefined && value !== null) descend(step, value as Values, env)
    }
  }
}

function stepsOf(of: Definition): Step[] {
  const steps: Step[] = []
  for (const field of of.fields.values()) {
    const inner = innerDefinition(field)
    if (isResourceList(field)) steps.push({ name: field.name, shape: 'resources', inner: undefined })
    else if (inner !== undefined && defaultsOf(inner) !== undefined) steps.push({ name: field.name, shape: field.type.shape as Step['shape'], inner })
  }
  return steps
}

function descend(step: Step, value: Values, env: DefaultsEnv): void {
  if (step.inner === undefined) {
    roundUp(value)
    return
  }
  const visit = defaultsOf(step.inner)
  if (visit === undefined) return
  if (step.shape === 'object') visit(value, env)
  else if (Array.isArray(value)) for (const item of value as Values[]) visit(item, env)
  else for (const key in value) visit(value[key] as Values, env)
}

/** Amounts of resources have no parts smaller than a thousandth. */
function roundUp(resources: Values): void {
  for (const name in resources) {
    const quantity = resources[name] as string
    const last = quantity.charCodeAt(quantity.length - 1)
    if (last === 0x6e || last === 0x75 || quantity.includes('.') || /e-/i.test(quantity)) resources[name] = roundUpToMilli(quantity)
  }
}
