/** A question as a SubjectAccessReview puts it to another server (k8s.io/apiserver/plugin/pkg/authorizer/webhook). */
import { parseFieldSelector, parseLabelSelector, type Requirement } from '../../api/selector.ts'
import type { FieldSelectorRequirement, LabelSelectorRequirement, ResourceAttributes as ApiResourceAttributes, SubjectAccessReviewSpec } from '../../api/schema/types.ts'
import type { Attributes, ResourceAttributes } from '../user.ts'

export function reviewSpec(asked: Attributes): SubjectAccessReviewSpec {
  const { name, groups, uid, extra } = asked.user
  const about = asked.type === 'path' ? { nonResourceAttributes: { path: asked.path, verb: asked.verb } } : { resourceAttributes: resourceAttributes(asked) }
  return {
    ...about,
    ...(name === '' ? {} : { user: name }),
    ...(groups.length === 0 ? {} : { groups: [...groups] }),
    ...(extra === undefined ? {} : { extra: Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]])) }),
    ...(uid === undefined || uid === '' ? {} : { uid }),
  }
}

function resourceAttributes(asked: ResourceAttributes): ApiResourceAttributes {
  const { namespace, verb, group, version, resource, subresource, name } = asked
  const texts = { namespace, verb, group, version, resource, subresource, name }
  const fields = fieldRequirements(asked.fieldSelector)
  const labels = labelRequirements(asked.labelSelector)
  return {
    ...Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== '')),
    ...(fields.length === 0 ? {} : { fieldSelector: { requirements: fields } }),
    ...(labels.length === 0 ? {} : { labelSelector: { requirements: labels } }),
  }
}

/** Selectors only narrow: one that cannot be read is left out, and the wider question asked. */
function fieldRequirements(text: string | undefined): FieldSelectorRequirement[] {
  return parsed(text, parseFieldSelector).map(({ field, equal, value }) => ({ key: field, operator: equal ? 'In' : 'NotIn', values: [value] }))
}

const operators: Readonly<Partial<Record<Requirement['operator'], string>>> = { '=': 'In', '==': 'In', in: 'In', '!=': 'NotIn', notin: 'NotIn', exists: 'Exists', '!': 'DoesNotExist' }

function labelRequirements(text: string | undefined): LabelSelectorRequirement[] {
  return parsed(text, (selector) => parseLabelSelector(selector).requirements).flatMap(({ key, operator, values }) => {
    const known = operators[operator]
    if (known === undefined) return []
    return [{ key, operator: known, ...(values.length === 0 ? {} : { values: [...values] }) }]
  })
}

function parsed<T>(text: string | undefined, read: (text: string) => readonly T[]): readonly T[] {
  if (text === undefined || text === '') return []
  try {
    return read(text)
  } catch {
    return []
  }
}
