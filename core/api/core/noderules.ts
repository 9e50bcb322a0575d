/** How writes of Nodes behave, and their rules (k8s.io/kubernetes/pkg/apis/core/validation/validation.go, pkg/registry/core/node/strategy.go). */
import { cidrWarnings, dualStack, legacyCidr, looseCidr, qualified, type Errors } from '../checks.ts'
import { equalJson } from '../../lib/json.ts'
import { duplicate, FieldError, forbiddenField, invalidValue, path, type Path } from '../field.ts'
import type { StatusRules, Strategy } from '../kind.ts'
import { labelValue } from '../names.ts'
import type { Node, Taint } from '../schema/types.ts'
import { taintEffect } from './podspec/affinity.ts'
import { validateAmount } from './podspec/resources.ts'

const metaAt = path('metadata')

function taints(errors: Errors, list: readonly Readonly<Taint>[], at: Path): void {
  const seen = new Set<string>()
  list.forEach((taint, i) => {
    const here = at.index(i)
    const { key, value = '', effect } = taint
    qualified(errors, key, here.child('key'))
    const wrong = labelValue(value)
    if (wrong.length > 0) errors.push(invalidValue(here.child('value'), value, wrong.join(';')))
    taintEffect(errors, effect, here.child('effect'))
    const id = `${effect}/${key}`
    const shown = { Key: key, Value: value, Effect: effect, TimeAdded: taint.timeAdded ?? null }
    if (seen.has(id)) errors.push(new FieldError('FieldValueDuplicate', here, shown, 'taints must be unique by key and effect pair'))
    seen.add(id)
  })
}

/** Of every write: annotations are as free as the metadata rules leave them. */
function resources(errors: Errors, node: Readonly<Node>): void {
  for (const field of ['capacity', 'allocatable'] as const) {
    for (const [name, amount] of Object.entries(node.status?.[field] ?? {})) validateAmount(errors, name, amount, path('status', field, name))
  }
  features(errors, node.status?.declaredFeatures ?? [])
}

const featurePattern = /^[A-Z][a-zA-Z0-9]*(\/[a-zA-Z][a-zA-Z0-9]*)*$/

function features(errors: Errors, list: readonly string[]): void {
  const at = path('status', 'declaredFeatures')
  list.forEach((feature, i) => {
    const about = `invalid feature name ${JSON.stringify(feature)}: must`
    if (feature.length > 253) errors.push(invalidValue(at.index(i), feature, `${about} be no more than 253 characters`))
    else if (!featurePattern.test(feature)) {
      const form = "start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes"
      errors.push(invalidValue(at.index(i), feature, `${about} ${form}`))
    }
    const after = list[i + 1]
    if (after === feature) errors.push(duplicate(at.index(i + 1), after))
    else if (after !== undefined && feature > after) errors.push(invalidValue(at.index(i + 1), after, 'list must be sorted alphabetically'))
  })
}

function validate(node: Readonly<Node>): Errors {
  const errors: Errors = []
  taints(errors, node.spec?.taints ?? [], metaAt.child('taints'))
  resources(errors, node)
  const ranges = node.spec?.podCIDRs ?? []
  const at = path('spec', 'podCIDRs')
  ranges.forEach((range, i) => legacyCidr(errors, range, at.index(i)))
  if (ranges.length > 1 && (ranges.length > 2 || !dualStack(ranges.map((range) => looseCidr(range)?.family)))) {
    errors.push(invalidValue(at, ranges, 'may specify no more than one CIDR for each IP family'))
  }
  return errors
}

function validateChange(next: Readonly<Node>, prev: Readonly<Node>): Errors {
  const errors: Errors = []
  resources(errors, next)
  const seen = new Set<string>()
  next.status?.addresses?.forEach((address, i) => {
    const id = `${address.type} ${address.address}`
    if (seen.has(id)) errors.push(duplicate(path('status', 'addresses').index(i), { Type: address.type, Address: address.address }))
    seen.add(id)
  })
  const [ranges, old] = [next.spec?.podCIDRs ?? [], prev.spec?.podCIDRs ?? []]
  if (old.length > 0 && !equalJson(ranges, old)) errors.push(forbiddenField(path('spec', 'podCIDRs'), 'node updates may not change podCIDR except from "" to valid'))
  const provider = prev.spec?.providerID ?? ''
  if (provider !== '' && provider !== next.spec?.providerID) errors.push(forbiddenField(path('spec', 'providerID'), 'node updates may not change providerID except from "" to valid'))
  taints(errors, next.spec?.taints ?? [], metaAt.child('taints'))
  if ((next.spec?.externalID ?? '') !== (prev.spec?.externalID ?? '')) errors.push(forbiddenField(path('spec', 'externalID'), 'may not be updated'))
  return errors
}

/** podCIDR is the first of podCIDRs: who sends only the old one, or another, means both. */
function sameRange(node: Node): void {
  const spec = node.spec
  if (spec === undefined) return
  if ((spec.podCIDR ?? '') !== '' && spec.podCIDRs?.[0] !== spec.podCIDR) spec.podCIDRs = [spec.podCIDR ?? '']
  else if (spec.podCIDRs?.[0] !== undefined) spec.podCIDR ??= spec.podCIDRs[0]
}

export const nodeStrategy: Strategy<Node> = {
  prepareCreate(node) {
    delete node.spec?.configSource
    delete node.status?.config
    sameRange(node)
  },
  prepareUpdate(next, prev) {
    if (prev.spec?.configSource === undefined) delete next.spec?.configSource
    sameRange(next)
  },
  validateCreate: validate,
  validateUpdate: (next, prev) => [...validate(next), ...validateChange(next, prev)],
  warnings: (next) => [
    ...(next.spec?.configSource === undefined ? [] : ['spec.configSource: the feature is removed']),
    ...((next.spec?.externalID ?? '') === '' ? [] : ['spec.externalID: this field is deprecated, and is unused by Kubernetes']),
    ...(next.spec?.podCIDRs ?? []).flatMap((range, i) => cidrWarnings(path('spec', 'podCIDRs').index(i), range)),
  ],
}

export const nodeStatus: StatusRules<Node> = {
  prepareUpdate(next, prev) {
    if (prev.status?.config === undefined) delete next.status?.config
  },
  validateUpdate: validateChange,
}
