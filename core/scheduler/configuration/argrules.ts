/**
 * What arguments of plugins must obey, in upstream's sentences (k8s.io/kubernetes/pkg/scheduler/apis/config/validation/
 * validation_pluginargs.go; k8s.io/component-helpers/scheduling/corev1/nodeaffinity for the affinity).
 */
import type { Errors } from '../../api/checks.ts'
import { duplicate, forbiddenField, invalidValue, notSupported, required, type Path } from '../../api/field.ts'
import { labelValue, qualifiedName } from '../../api/names.ts'
import type { NodeSelectorRequirement, NodeSelectorTerm, TopologySpreadConstraint } from '../../api/schema/types.ts'
import { goDuration } from '../../lib/duration.ts'
import type { ResourceWeight, ShapePoint } from '../plugins/resourcescore.ts'
import { type AllArgs, type ArgsName, strategies } from './args.ts'

type Rules = { readonly [K in ArgsName]: (errors: Errors, args: AllArgs[K], at: Path) => void }

const bindingTimeoutMsMin = 1_000

const rules: Rules = {
  DefaultPreemption(errors, { minCandidateNodesPercentage: percentage, minCandidateNodesAbsolute: absolute }, at) {
    const [first, second] = [at.child('minCandidateNodesPercentage'), at.child('minCandidateNodesAbsolute')]
    if (percentage < 0 || percentage > 100) errors.push(invalidValue(first, percentage, 'not in valid range [0, 100]'))
    if (absolute < 0) errors.push(invalidValue(second, absolute, 'not in valid range [0, inf)'))
    if (percentage !== 0 || absolute !== 0) return
    errors.push(invalidValue(first, percentage, 'cannot be zero at the same time as minCandidateNodesAbsolute'))
    errors.push(invalidValue(second, absolute, 'cannot be zero at the same time as minCandidateNodesPercentage'))
  },
  DynamicResources(errors, { filterTimeout, bindingTimeout }, at) {
    if (filterTimeout < 0) errors.push(invalidValue(at.child('filterTimeout'), goDuration(filterTimeout), 'must be zero or positive'))
    if (bindingTimeout < bindingTimeoutMsMin) errors.push(invalidValue(at.child('bindingTimeout'), goDuration(bindingTimeout), 'must be at least 1 second'))
  },
  InterPodAffinity(errors, { hardPodAffinityWeight: weight }, at) {
    if (weight < 0 || weight > 100) errors.push(invalidValue(at.child('hardPodAffinityWeight'), weight, 'not in valid range [0, 100]'))
  },
  NodeAffinity(errors, { addedAffinity }, at) {
    const here = at.child('addedAffinity')
    const terms = addedAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
    terms.forEach((term, i) => checkTerm(errors, term, here.child('requiredDuringSchedulingIgnoredDuringExecution', 'nodeSelectorTerms').index(i)))
    addedAffinity?.preferredDuringSchedulingIgnoredDuringExecution?.forEach(({ weight, preference }, i) => {
      if (weight !== 0) checkTerm(errors, preference, here.child('preferredDuringSchedulingIgnoredDuringExecution').index(i))
    })
  },
  NodeResourcesBalancedAllocation(errors, { resources }, at) {
    const seen = new Set<string>()
    resources.forEach(({ name, weight }, i) => {
      const here = at.child('resources').index(i)
      if (seen.has(name)) errors.push(duplicate(here.child('name'), name))
      seen.add(name)
      if (weight !== 1) errors.push(invalidValue(here.child('weight'), weight, 'must be 1'))
    })
  },
  NodeResourcesFit(errors, { ignoredResources, ignoredResourceGroups, scoringStrategy }, at) {
    ignoredResources.forEach((name, i) => checkName(errors, name, at.child('ignoredResources').index(i)))
    ignoredResourceGroups.forEach((group, i) => {
      const here = at.child('ignoredResourceGroups').index(i)
      if (group.includes('/')) errors.push(invalidValue(here, group, "resource group name can't contain '/'"))
      checkName(errors, group, here)
    })
    checkStrategy(errors, scoringStrategy, at.child('scoringStrategy'))
  },
  PodTopologySpread(errors, { defaultConstraints: constraints, defaultingType: type }, at) {
    const here = at.child('defaultingType')
    if (type !== 'System' && type !== 'List') errors.push(notSupported(here, type, ['System', 'List']))
    else if (type === 'System' && constraints.length > 0) errors.push(invalidValue(here, type, 'when .defaultConstraints are not empty'))
    constraints.forEach((_, i) => checkConstraint(errors, constraints, i, at.child('defaultConstraints')))
  },
  VolumeBinding(errors, { bindTimeoutSeconds, shape }, at) {
    if (bindTimeoutSeconds < 0) errors.push(invalidValue(at.child('bindTimeoutSeconds'), bindTimeoutSeconds, 'invalid BindTimeoutSeconds, should not be a negative value'))
    if (shape === undefined) return
    const shown = shape.map(({ utilization = 0, score = 0 }: Partial<ShapePoint>) => ({ Utilization: utilization, Score: score }))
    errors.push(invalidValue(at.child('shape'), shown, 'unexpected field `shape`, remove it or turn on the feature gate StorageCapacityScoring'))
  },
}

export function checkArgs<K extends ArgsName>(errors: Errors, name: K, args: AllArgs[K], at: Path): void {
  rules[name](errors, args, at)
}

function checkName(errors: Errors, name: string, at: Path): void {
  for (const wrong of qualifiedName(name)) errors.push(invalidValue(at, name, wrong))
}

function checkStrategy(errors: Errors, { type, resources, requestedToCapacityRatio: ratio }: AllArgs['NodeResourcesFit']['scoringStrategy'], at: Path): void {
  if (!(strategies as readonly string[]).includes(type)) errors.push(notSupported(at.child('type'), type, strategies))
  resources.forEach(({ name, weight }: ResourceWeight, i) => {
    if (weight <= 0 || weight > 100) errors.push(invalidValue(at.child('resources').index(i).child('weight'), weight, `resource weight of ${name} not in valid range (0, 100]`))
  })
  const here = at.child('requestedToCapacityRatio')
  if (type !== 'RequestedToCapacityRatio') {
    if (ratio !== undefined) errors.push(forbiddenField(here, 'must be nil when type is not RequestedToCapacityRatio'))
  } else if (ratio === undefined) errors.push(required(here, 'must be specified when type is RequestedToCapacityRatio'))
  else checkShape(errors, ratio.shape ?? [], here.child('shape'))
}

const scoreMax = 10

function checkShape(errors: Errors, shape: readonly Partial<ShapePoint>[], at: Path): void {
  if (shape.length === 0) {
    errors.push(required(at, 'at least one point must be specified'))
    return
  }
  const utilizations = shape.map(({ utilization = 0 }) => utilization)
  const unsorted = utilizations.findIndex((utilization, i) => i > 0 && (utilizations[i - 1] ?? 0) >= utilization)
  if (unsorted > 0) errors.push(invalidValue(at.index(unsorted).child('utilization'), utilizations[unsorted], 'values must be sorted in increasing order'))
  shape.forEach(({ utilization = 0, score = 0 }, i) => {
    if (utilization < 0 || utilization > 100) errors.push(invalidValue(at.index(i).child('utilization'), utilization, 'not in valid range [0, 100]'))
    if (score < 0 || score > scoreMax) errors.push(invalidValue(at.index(i).child('score'), score, `not in valid range [0, ${scoreMax}]`))
  })
}

type Constraint = Readonly<TopologySpreadConstraint>

function checkConstraint(errors: Errors, constraints: readonly Constraint[], i: number, at: Path): void {
  const here = at.index(i)
  const constraint = constraints[i] as Constraint
  const { maxSkew, topologyKey, whenUnsatisfiable: action } = constraint
  if (maxSkew <= 0) errors.push(invalidValue(here.child('maxSkew'), maxSkew, 'not in valid range (0, inf)'))
  if (topologyKey === '') errors.push(required(here.child('topologyKey'), 'can not be empty'))
  else checkName(errors, topologyKey, here.child('topologyKey'))
  if (action === '') errors.push(required(here.child('whenUnsatisfiable'), 'can not be empty'))
  else if (action !== 'DoNotSchedule' && action !== 'ScheduleAnyway') errors.push(notSupported(here.child('whenUnsatisfiable'), action, ['DoNotSchedule', 'ScheduleAnyway']))
  if (constraint.labelSelector !== undefined) errors.push(forbiddenField(here.child('labelSelector'), 'constraint must not define a selector, as they deduced for each pod'))
  if (constraints.slice(0, i).some((other) => other.topologyKey === topologyKey && other.whenUnsatisfiable === action)) errors.push(duplicate(here, `{${topologyKey}, ${action}}`))
}

function checkTerm(errors: Errors, { matchExpressions = [], matchFields = [] }: Readonly<NodeSelectorTerm>, at: Path): void {
  matchExpressions.forEach((requirement, i) => checkExpression(errors, requirement, at.child('matchExpressions').index(i)))
  matchFields.forEach(({ operator, values = [] }, i) => {
    const here = at.child('matchFields').index(i)
    if (operator !== 'In' && operator !== 'NotIn') errors.push(notSupported(here.child('operator'), operator, ['In', 'NotIn']))
    else if (values.length !== 1) errors.push(invalidValue(here.child('values'), values, 'must have one element'))
  })
}

const operators = ['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt']

function checkExpression(errors: Errors, { key, operator, values = [] }: Readonly<NodeSelectorRequirement>, at: Path): void {
  const here = at.child('values')
  if (!operators.includes(operator)) {
    errors.push(notSupported(at.child('operator'), operator, operators))
    return
  }
  const wrong = qualifiedName(key)
  if (wrong.length > 0) errors.push(invalidValue(at.child('key'), key, wrong.join('; ')))
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) errors.push(invalidValue(here, null, "for 'in', 'notin' operators, values set can't be empty"))
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0) errors.push(invalidValue(here, values, 'values set must be empty for exists and does not exist'))
  } else {
    if (values.length !== 1) errors.push(invalidValue(here, values, "for 'Gt', 'Lt' operators, exactly one value is required"))
    values.forEach((value, i) => {
      if (!/^[+-]?\d+$/.test(value)) errors.push(invalidValue(here.index(i), value, "for 'Gt', 'Lt' operators, the value must be an integer"))
    })
  }
  values.forEach((value, i) => {
    const odd = labelValue(value)
    if (odd.length > 0) errors.push(invalidValue(here.index(i).key(key), value, odd.join('; ')))
  })
}
