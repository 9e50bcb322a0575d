/**
 * Selectors of an access review: as text that was written, or as requirements; what they must obey, and what of them can be
 * understood (k8s.io/kubernetes/pkg/registry/authorization/util, pkg/apis/authorization/validation). They only narrow, so what
 * cannot be understood is left out.
 */
import { forbiddenField, invalidValue, path, required, type FieldError, type Path } from '../../api/field.ts'
import { labelValue, qualifiedName } from '../../api/names.ts'
import { parseFieldSelector, parseLabelSelector, Selector, type Operator, type Requirement } from '../../api/selector.ts'
import type { FieldSelectorAttributes, LabelSelectorAttributes, ResourceAttributes } from '../../api/schema/types.ts'

export interface Understood {
  /** As it would stand in a query; '' for nothing. */
  readonly text: string
  readonly failed: boolean
}

type Written = { readonly key: string; readonly operator: string; readonly values?: readonly string[] }

export function askedFields(selector: FieldSelectorAttributes | undefined): Understood {
  const { rawSelector = '', requirements = [] } = selector ?? {}
  if (requirements.length === 0) return readable(rawSelector, parseFieldSelector)
  const good = requirements.filter(({ operator, values = [] }) => (operator === 'In' || operator === 'NotIn') && values.length === 1)
  const texts = good.map(({ key, operator, values = [] }) => `${key}${operator === 'In' ? '=' : '!='}${(values[0] ?? '').replaceAll(/[\\,=]/g, '\\$&')}`)
  return { text: texts.join(','), failed: good.length < requirements.length }
}

const operators: Readonly<Record<string, Operator>> = { In: 'in', NotIn: 'notin', Exists: 'exists', DoesNotExist: '!' }

export function askedLabels(selector: LabelSelectorAttributes | undefined): Understood {
  const { rawSelector = '', requirements = [] } = selector ?? {}
  if (requirements.length === 0) return readable(rawSelector, parseLabelSelector)
  const good = requirements.flatMap((one) => requirementOf(one) ?? [])
  return { text: new Selector(good).toString(), failed: good.length < requirements.length }
}

function requirementOf({ key, operator, values = [] }: Written): Requirement | undefined {
  const known = operators[operator]
  const needsValues = known === 'in' || known === 'notin'
  if (known === undefined || qualifiedName(key).length > 0 || needsValues !== values.length > 0) return undefined
  return values.every((value) => labelValue(value).length === 0) ? { key, operator: known, values } : undefined
}

function readable(text: string, parse: (text: string) => unknown): Understood {
  try {
    parse(text)
    return { text, failed: false }
  } catch {
    return { text: '', failed: true }
  }
}

/** What status.evaluationError says of it. */
export function selectorProblem(field: 'fieldSelector' | 'labelSelector', { text, failed }: Understood): readonly string[] {
  return failed ? [`spec.resourceAttributes.${field} ${text === '' ? '' : 'partially '}ignored due to parse error`] : []
}

export function selectorErrors(asked: ResourceAttributes | undefined): readonly FieldError[] {
  const at = path('spec', 'resourceAttributes')
  const { fieldSelector, labelSelector } = asked ?? {}
  return [
    ...formErrors(fieldSelector, at.child('fieldSelector'), fieldErrors),
    ...formErrors(labelSelector, at.child('labelSelector'), labelErrors),
  ]
}

type Check = (one: Written, at: Path) => readonly FieldError[]

function formErrors(selector: FieldSelectorAttributes | LabelSelectorAttributes | undefined, at: Path, check: Check): readonly FieldError[] {
  if (selector === undefined) return []
  const { rawSelector = '', requirements = [] } = selector
  const both = rawSelector !== '' && requirements.length > 0 ? [invalidValue(at.child('rawSelector'), rawSelector, 'may not specified at the same time as requirements')] : []
  const none = rawSelector === '' && requirements.length === 0 ? [required(at.child('requirements'), `when ${at.text} is specified, requirements or rawSelector is required`)] : []
  return [...both, ...none, ...requirements.flatMap((one, i) => check(one, at.child('requirements').index(i)))]
}

/** Operators that are not known may be those of newer clients. */
function valuesErrors({ operator, values = [] }: Written, at: Path): readonly FieldError[] {
  const there = at.child('values')
  if ((operator === 'In' || operator === 'NotIn') && values.length === 0) return [required(there, "must be specified when `operator` is 'In' or 'NotIn'")]
  if ((operator === 'Exists' || operator === 'DoesNotExist') && values.length > 0) return [forbiddenField(there, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")]
  return []
}

const fieldErrors: Check = (one, at) => [...(one.key === '' ? [required(at.child('key'), 'must be specified')] : []), ...valuesErrors(one, at)]

const labelErrors: Check = (one, at) => [
  ...valuesErrors(one, at),
  ...qualifiedName(one.key).map((sentence) => invalidValue(at.child('key'), one.key, sentence)),
  ...(one.values ?? []).flatMap((value, i) => labelValue(value).map((sentence) => invalidValue(at.child('values').index(i), value, sentence))),
]
