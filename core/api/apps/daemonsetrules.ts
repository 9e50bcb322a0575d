/** How writes of DaemonSets behave, and their rules (k8s.io/kubernetes/pkg/apis/apps/validation/validation.go, pkg/registry/apps/daemonset). */
import { atMostAll, immutable, isEmptySelector, labelSelector, nonNegative, nonNegatives, readSelector, type Errors } from '../checks.ts'
import { validateLastingTemplate, validatePodTemplate } from '../core/podspec/spec.ts'
import { badRequest } from '../errors.ts'
import { equalJson } from '../../lib/json.ts'
import { goQuote, invalidValue, notSupported, path, required, type Path } from '../field.ts'
import type { StatusRules, Strategy } from '../kind.ts'
import type { DaemonSet, DaemonSetUpdateStrategy } from '../schema/types.ts'
import { collisions, isNone, mismatchSentence, rollingNumbers, workloadWarnings } from './templates.ts'

const at = path('spec')

function validate(set: Readonly<DaemonSet>): Errors {
  const errors: Errors = []
  const { spec } = set
  if (spec === undefined) return errors
  const { selector, template } = spec
  labelSelector(errors, selector, at.child('selector'))
  const read = readSelector(selector)
  if (read !== undefined && !read.matches(template.metadata?.labels)) {
    errors.push(invalidValue(at.child('template', 'metadata', 'labels'), template.metadata?.labels ?? null, mismatchSentence))
  }
  if (selector !== undefined && isEmptySelector(selector)) errors.push(invalidValue(at.child('selector'), selector, 'empty selector is invalid for daemonset'))
  validatePodTemplate(errors, template, at.child('template'))
  validateLastingTemplate(errors, template, at.child('template'), 'DaemonSet')
  nonNegative(errors, spec.minReadySeconds, at.child('minReadySeconds'))
  updateStrategy(errors, spec.updateStrategy ?? {}, at.child('updateStrategy'))
  nonNegative(errors, spec.revisionHistoryLimit, at.child('revisionHistoryLimit'))
  return errors
}

function updateStrategy(errors: Errors, strategy: Readonly<DaemonSetUpdateStrategy>, at: Path): void {
  const { type, rollingUpdate: update } = strategy
  const here = at.child('rollingUpdate')
  if (type === 'OnDelete') return
  if (type !== 'RollingUpdate') {
    const shown = { Type: type ?? '', RollingUpdate: update === undefined ? null : { MaxUnavailable: update.maxUnavailable ?? 0, MaxSurge: update.maxSurge ?? 0 } }
    errors.push(notSupported(at, shown, ['RollingUpdate', 'OnDelete']))
  } else if (update === undefined) {
    errors.push(required(here))
  } else {
    rollingNumbers(errors, update, here)
    atMostAll(errors, update.maxUnavailable ?? 0, here.child('maxUnavailable'))
    atMostAll(errors, update.maxSurge ?? 0, here.child('maxSurge'))
    const [fewer, more] = [!isNone(update.maxUnavailable), !isNone(update.maxSurge)]
    if (fewer && more) errors.push(invalidValue(here.child('maxSurge'), update.maxSurge, 'may not be set when maxUnavailable is non-zero'))
    if (!fewer && !more) errors.push(required(here.child('maxUnavailable'), 'cannot be 0 when maxSurge is 0'))
  }
}

/** How often the template changed, and one: upstream counts it in a field that only old versions of the API show. */
const templateGeneration = 'deprecated.daemonset.template.generation'

function generationOf(set: Readonly<DaemonSet>): number {
  const text = set.metadata.annotations?.[templateGeneration] ?? '0'
  if (/^[-+]?\d+$/.test(text)) return Number(text)
  throw badRequest(`DaemonSet in version "v1" cannot be handled as a DaemonSet: strconv.ParseInt: parsing ${goQuote(text)}: invalid syntax`)
}

function count(set: DaemonSet, generation: number): void {
  set.metadata.annotations = { ...set.metadata.annotations, [templateGeneration]: String(generation) }
}

export const daemonSetStrategy: Strategy<DaemonSet> = {
  unfold: (set) => count(set, generationOf(set)),
  prepareCreate: (set) => count(set, Math.max(1, generationOf(set))),
  prepareUpdate: (next, prev) => count(next, generationOf(prev) + (equalJson(next.spec?.template, prev.spec?.template) ? 0 : 1)),
  validateCreate: validate,
  validateUpdate(next, prev) {
    const errors: Errors = []
    immutable(errors, next.spec?.selector, prev.spec?.selector, at.child('selector'))
    return [...errors, ...validate(next)]
  },
  warnings: (next, prev) => workloadWarnings(next, prev, next.spec?.template, false),
}

export const daemonSetStatus: StatusRules<DaemonSet> = {
  prepareUpdate: (next, prev) => count(next, generationOf(prev)),
  validateUpdate(next, prev) {
    const errors: Errors = []
    nonNegatives(
      errors, next.status ?? {}, path('status'), 'currentNumberScheduled', 'numberMisscheduled', 'desiredNumberScheduled', 'numberReady', 'observedGeneration',
      'updatedNumberScheduled', 'numberAvailable', 'numberUnavailable', 'collisionCount',
    )
    collisions(errors, next.status?.collisionCount, prev.status?.collisionCount)
    return errors
  },
}
