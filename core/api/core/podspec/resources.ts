/**
 * Requests and limits of containers, pods, overheads and quotas: which resources there are, and how amounts relate
 * (k8s.io/kubernetes/pkg/apis/core/validation/validation.go, pkg/apis/core/helper/helpers.go).
 */
import { label, nonNegativeQuantity, say, type Errors } from '../../checks.ts'
import { duplicate, FieldError, forbiddenField, invalidValue, notSupported, required, type Path } from '../../field.ts'
import { qualifiedName } from '../../names.ts'
import { addQuantities, compareQuantities, largerQuantity, quantityMilli, quantityValue } from '../../quantity.ts'
import type * as k from '../../schema/types.ts'

type Amounts = Readonly<Record<string, string>>

const counted = ['pods', 'resourcequotas', 'services', 'replicationcontrollers', 'secrets', 'configmaps', 'persistentvolumeclaims', 'services.nodeports', 'services.loadbalancers']
const computed = ['cpu', 'memory', 'ephemeral-storage']
const quotaResources = new Set([
  ...counted, ...computed, 'requests.cpu', 'requests.memory', 'requests.storage', 'requests.ephemeral-storage', 'limits.cpu', 'limits.memory', 'limits.ephemeral-storage',
])

const isHugePages = (name: string): boolean => name.startsWith('hugepages-')
const isQuotaHugePages = (name: string): boolean => isHugePages(name) || name.startsWith('requests.hugepages-')
export const isQuotaResource = (name: string): boolean => quotaResources.has(name) || isQuotaHugePages(name)
const isStandardResource = (name: string): boolean => isQuotaResource(name) || name === 'storage'
export const isNativeResource = (name: string): boolean => !name.includes('/') || name.includes('kubernetes.io/')
export const mayOvercommit = (name: string): boolean => isNativeResource(name) && !isHugePages(name)

/** A device plugin's resource: `example.com/gpu`. */
export function isExtendedResource(name: string): boolean {
  return !isNativeResource(name) && !name.startsWith('requests.') && qualifiedName(`requests.${name}`).length === 0
}

/** True when the name is well formed. */
export function validateResourceName(errors: Errors, name: string, at: Path): boolean {
  const wrong = qualifiedName(name)
  say(errors, at, name, wrong)
  if (wrong.length > 0) return false
  if (name.includes('/') || isStandardResource(name)) return true
  errors.push(invalidValue(at, name, 'must be a standard resource type or fully qualified'))
  return false
}

export function validateContainerResourceName(errors: Errors, name: string, at: Path): void {
  validateResourceName(errors, name, at)
  if (!name.includes('/')) {
    if (!computed.includes(name) && !isHugePages(name)) errors.push(invalidValue(at, name, 'must be a standard resource for containers'))
  } else if (!isNativeResource(name) && !isExtendedResource(name)) {
    errors.push(invalidValue(at, name, "doesn't follow extended resource name standard"))
  }
}

function validatePodResourceName(errors: Errors, name: string, at: Path): void {
  if (!validateResourceName(errors, name, at)) return
  if (name !== 'cpu' && name !== 'memory' && !isHugePages(name)) errors.push(notSupported(at, name, ['cpu', 'hugepages-', 'memory']))
}

export function validateAmount(errors: Errors, name: string, quantity: string, at: Path): void {
  nonNegativeQuantity(errors, quantity, at)
  if ((counted.includes(name) || isExtendedResource(name)) && quantityMilli(quantity) % 1_000 !== 0) errors.push(invalidValue(at, quantity, 'must be an integer'))
}

export interface ResourceRules {
  readonly checkName?: (errors: Errors, name: string, at: Path) => void
  readonly claims?: ReadonlySet<string>
}

export function validateResources(errors: Errors, of: Readonly<k.ResourceRequirements> | undefined, at: Path, rules: ResourceRules = {}): void {
  const { limits = {}, requests = {} } = of ?? {}
  const checkName = rules.checkName ?? validateContainerResourceName
  const amount = (name: string, quantity: string, here: Path): void => {
    checkName(errors, name, here)
    validateAmount(errors, name, quantity, here)
  }
  const pages = (name: string, quantity: string, here: Path): void => {
    if (isHugePages(name) && !dividesPages(name, quantity)) errors.push(invalidValue(here, quantity, `${quantity} is not positive integer multiple of ${name}`))
  }
  for (const [name, quantity] of Object.entries(limits)) {
    const here = at.child('limits').key(name)
    amount(name, quantity, here)
    pages(name, quantity, here)
  }
  for (const [name, quantity] of Object.entries(requests)) {
    const here = at.child('requests').key(name)
    amount(name, quantity, here)
    within(errors, name, quantity, limits[name], at)
    pages(name, quantity, here)
  }
  const names = [...Object.keys(limits), ...Object.keys(requests)]
  if (names.some(isHugePages) && !names.includes('cpu') && !names.includes('memory')) errors.push(forbiddenField(at, 'HugePages require cpu or memory'))
  validateClaims(errors, of?.claims ?? [], rules.claims ?? new Set(), at.child('claims'))
}

function within(errors: Errors, name: string, request: string, limit: string | undefined, at: Path): void {
  if (limit === undefined) {
    if (!mayOvercommit(name)) errors.push(required(at.child('limits'), 'Limit must be set for non overcommitable resources'))
    return
  }
  const order = compareQuantities(request, limit)
  if (order !== 0 && !mayOvercommit(name)) errors.push(invalidValue(at.child('requests'), request, `must be equal to ${name} limit of ${limit}`))
  else if (order > 0) errors.push(invalidValue(at.child('requests'), request, `must be less than or equal to ${name} limit of ${limit}`))
}

function dividesPages(name: string, quantity: string): boolean {
  const page = quantityValue(name.slice('hugepages-'.length))
  return page > 0 && quantityValue(quantity) % page === 0
}

function validateClaims(errors: Errors, claims: readonly Readonly<k.CoreV1ResourceClaim>[], known: ReadonlySet<string>, at: Path): void {
  const seen = new Set<string>()
  claims.forEach(({ name, request = '' }, i) => {
    const here = at.index(i)
    if (name === '') {
      errors.push(required(here))
      return
    }
    if (seen.has(name)) {
      errors.push(duplicate(here, name))
    } else {
      if (request !== '') label(errors, request, here.child('request'))
      const key = request === '' ? name : `${name}/${request}`
      if (seen.has(key)) errors.push(duplicate(here, key))
      else if (request === '') for (const other of seen) if (other.startsWith(`${name}/`)) errors.push(duplicate(here, name))
      seen.add(key)
    }
    if (known.has(name)) return
    const those = known.size === 0 ? ' which is empty' : `: ${[...known].sort().join(', ')}`
    errors.push(new FieldError('FieldValueNotFound', here, name, `must be one of the names in pod.spec.resourceClaims${those}`))
  })
}

/** Resources of the pod as a whole: enough for its containers together. */
export function validatePodResources(errors: Errors, spec: Readonly<k.PodSpec>, claims: ReadonlySet<string>, at: Path): void {
  const { resources } = spec
  if (resources === undefined) return
  const here = at.child('resources')
  if (spec.os?.name === 'windows') {
    errors.push(forbiddenField(here, 'may not be set for a windows pod'))
    return
  }
  if (resources.claims !== undefined) errors.push(forbiddenField(here.child('claims'), 'claims may not be set for Resources at pod-level'))
  validateResources(errors, resources, here, { checkName: validatePodResourceName, claims })
  for (const [side, onlyPages] of [['requests', false], ['limits', true]] as const) {
    for (const [name, sum] of Object.entries(aggregate(spec, side))) {
      const own = resources[side]?.[name]
      if (own === undefined || (onlyPages && !isHugePages(name)) || compareQuantities(sum, own) <= 0) continue
      errors.push(invalidValue(here.child(side).key(name), own, `must be greater than or equal to aggregate container ${side} of ${sum}`))
    }
  }
  spec.containers?.forEach((container, i) => {
    for (const [name, limit] of Object.entries(container.resources?.limits ?? {})) {
      const own = resources.limits?.[name]
      if (own === undefined || compareQuantities(limit, own) <= 0) continue
      errors.push(invalidValue(here.child('containers').index(i).key(name).child('limits'), limit, `must be less than or equal to pod limits of ${own}`))
    }
  })
}

/** What runs together added up, or the largest init container with the sidecars before it. */
function aggregate(spec: Readonly<k.PodSpec>, side: 'requests' | 'limits'): Record<string, string> {
  const total: Record<string, string> = {}
  const sidecars: Record<string, string> = {}
  const largest: Record<string, string> = {}
  const add = (to: Record<string, string>, more: Amounts): Record<string, string> => {
    for (const name in more) to[name] = to[name] === undefined ? (more[name] ?? '0') : addQuantities(to[name], more[name] ?? '0')
    return to
  }
  const raise = (to: Record<string, string>, floor: Amounts): void => {
    for (const name in floor) to[name] = to[name] === undefined ? (floor[name] ?? '0') : largerQuantity(to[name], floor[name] ?? '0')
  }
  for (const container of spec.containers ?? []) add(total, container.resources?.[side] ?? {})
  for (const container of spec.initContainers ?? []) {
    const own = container.resources?.[side] ?? {}
    if (container.restartPolicy === 'Always') {
      add(total, own)
      raise(largest, add(sidecars, own))
    } else {
      raise(largest, add({ ...own }, sidecars))
    }
  }
  raise(total, largest)
  return total
}
