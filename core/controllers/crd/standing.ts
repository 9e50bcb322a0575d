/**
 * What a definition is told of itself: whether its names are its own, whether it is served, whether its schema is one and
 * the community has seen it. Pure; one status holds it all, so that one write does (the naming, establishing,
 * nonstructuralschema and apiapproval controllers of apiextensions-apiserver/pkg/controller).
 */
import { approvalOf, isProtectedGroup, type ApprovalState } from '../../api/apiextensions/approval.ts'
import { bundleError } from '../../api/apiextensions/cabundle.ts'
import { conditionOf, isTrue, saysTheSame, setCondition, type NewCondition } from '../../api/apiextensions/conditions.ts'
import { structuralError, validateStructural } from '../../api/apiextensions/structuralrules.ts'
import { goQuote, invalidValue, path, type FieldError } from '../../api/field.ts'
import type { CustomResourceDefinition, CustomResourceDefinitionNames, CustomResourceDefinitionStatus } from '../../api/schema/types.ts'
import { cloneJson, equalJson } from '../../lib/json.ts'
import type { Space } from './names.ts'

type Definition = Readonly<CustomResourceDefinition>
type Names = CustomResourceDefinitionNames

export type IsTaken = (space: Space, name: string) => boolean

export interface Standing {
  /** undefined: it is as it should be. */
  readonly status: CustomResourceDefinitionStatus | undefined
  /** Names that somebody else has. */
  readonly missed: readonly (readonly [space: Space, name: string])[]
}

/** `schemaIsKnown`: its schema has been looked at. */
export function standingOf(crd: Definition, isTaken: IsTaken, { nowMs, schemaIsKnown }: { readonly nowMs: number; readonly schemaIsKnown: boolean }): Standing {
  const status: CustomResourceDefinitionStatus = cloneJson(crd.status ?? {})
  const conditions = (status.conditions ??= [])
  const { missed } = decideNames(crd, status, isTaken, nowMs)
  const next: Definition = { ...crd, status }
  establish(next, conditions, nowMs)
  if (!schemaIsKnown) judgeSchema(crd, status, nowMs)
  const approval = approvalCondition(crd)
  if (approval !== undefined && !saysTheSame(approval, conditionOf(crd, approval.type))) setCondition(status.conditions ?? conditions, approval, nowMs)
  return { status: equalJson({ conditions: [], ...crd.status }, status) ? undefined : status, missed }
}

/** Names are taken one by one: those that are free, whatever becomes of the others. */
function decideNames(crd: Definition, status: CustomResourceDefinitionStatus, isTaken: IsTaken, nowMs: number): Pick<Standing, 'missed'> {
  const want = crd.spec.names
  const have: Names = crd.status?.acceptedNames ?? { plural: '', kind: '' }
  if (equalJson(want, have)) return { missed: [] }
  const missed: (readonly [Space, string])[] = []
  const next: Names = { ...have }
  let verdict: NewCondition = { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' }
  const ask = (space: Space, reason: string, names: readonly string[], mine: readonly string[], accept: () => void): void => {
    const taken = names.filter((name) => !mine.includes(name) && isTaken(space, name))
    if (taken.length === 0) return accept()
    missed.push(...taken.map((name) => [space, name] as const))
    const sentences = [...new Set(taken.map((name) => `${goQuote(name)} is already in use`))]
    verdict = { type: 'NamesAccepted', status: 'False', reason, message: sentences.length === 1 ? (sentences[0] ?? '') : `[${sentences.join(', ')}]` }
  }
  const one = (space: Space, reason: string, field: 'plural' | 'singular' | 'kind' | 'listKind'): void =>
    ask(space, reason, [want[field] ?? ''], [have[field] ?? ''], () => { next[field] = want[field] ?? '' })
  one('resource', 'PluralConflict', 'plural')
  one('resource', 'SingularConflict', 'singular')
  ask('resource', 'ShortNamesConflict', want.shortNames ?? [], have.shortNames ?? [], () => give(next, 'shortNames', want.shortNames))
  one('kind', 'KindConflict', 'kind')
  one('kind', 'ListKindConflict', 'listKind')
  give(next, 'categories', want.categories)
  if (equalJson(have, next) && saysTheSame(verdict, conditionOf(crd, 'NamesAccepted'))) return { missed }
  status.acceptedNames = next
  setCondition((status.conditions ??= []), verdict, nowMs)
  if (conditionOf(crd, 'Established') === undefined) {
    setCondition(status.conditions, { type: 'Established', status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' }, nowMs)
  }
  return { missed }
}

function give(names: Names, field: 'shortNames' | 'categories', list: string[] | undefined): void {
  if (list === undefined) delete names[field]
  else names[field] = list
}

/** Served as soon as the names are its own: whoever serves it sees the same change as everybody. */
function establish(crd: Definition, conditions: NonNullable<CustomResourceDefinitionStatus['conditions']>, nowMs: number): void {
  if (!isTrue(crd, 'NamesAccepted') || isTrue(crd, 'Established')) return
  const bundle = crd.spec.conversion?.webhook?.clientConfig?.caBundle ?? ''
  const verdict: NewCondition = bundleError(bundle) === undefined
    ? { type: 'Established', status: 'True', reason: 'InitialNamesAccepted', message: 'the initial names have been accepted' }
    : { type: 'Established', status: 'False', reason: 'InvalidCABundle', message: 'The conversion webhook CABundle is invalid' }
  if (!saysTheSame(verdict, conditionOf(crd, 'Established'))) setCondition(conditions, verdict, nowMs)
}

function judgeSchema(crd: Definition, status: CustomResourceDefinitionStatus, nowMs: number): void {
  const verdict = schemaCondition(crd)
  const conditions = (status.conditions ??= [])
  if (verdict === undefined) status.conditions = conditions.filter(({ type }) => type !== 'NonStructuralSchema')
  else if (!saysTheSame(verdict, conditionOf(crd, verdict.type))) setCondition(conditions, verdict, nowMs)
}

/** What comes from a time with other rules: undefined where all is well. */
function schemaCondition({ spec }: Definition): NewCondition | undefined {
  const errors: FieldError[] = []
  if (spec.preserveUnknownFields === true) errors.push(invalidValue(path('spec', 'preserveUnknownFields'), true, 'must be false'))
  for (const [i, { name, schema }] of (spec.versions ?? []).entries()) {
    if (schema?.openAPIV3Schema === undefined) continue
    const unreadable = structuralError(schema.openAPIV3Schema)
    if (unreadable !== undefined) {
      return { type: 'NonStructuralSchema', status: 'Unknown', reason: 'StructuralError', message: `failed to check validation schema for version ${name}: ${unreadable}` }
    }
    errors.push(...validateStructural(schema.openAPIV3Schema, path('spec').child('versions').index(i).child('schema', 'openAPIV3Schema')))
  }
  if (errors.length === 0) return undefined
  const sentences = [...new Set(errors.map((error) => error.message()))]
  return { type: 'NonStructuralSchema', status: 'True', reason: 'Violations', message: sentences.length === 1 ? (sentences[0] ?? '') : `[${sentences.join(', ')}]` }
}

const approvals: Readonly<Record<ApprovalState, readonly [status: 'True' | 'False', reason: string]>> = {
  approved: ['True', 'ApprovedAnnotation'], bypassed: ['False', 'UnapprovedAnnotation'], missing: ['False', 'MissingAnnotation'], invalid: ['False', 'InvalidAnnotation'],
}

function approvalCondition(crd: Definition): NewCondition | undefined {
  if (!isProtectedGroup(crd.spec.group)) return undefined
  const { state, reason: message } = approvalOf(crd)
  const [status, reason] = approvals[state]
  return { type: 'KubernetesAPIApprovalPolicyConformant', status, reason, message }
}
