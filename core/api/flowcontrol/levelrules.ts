/** Rules of PriorityLevelConfigurations: shares, queues, and what the mandatory ones must stay (k8s.io/kubernetes/pkg/apis/flowcontrol/validation/validation.go). */
import { equalJson } from '../../lib/json.ts'
import type { Errors } from '../checks.ts'
import { forbiddenField, invalidValue, notSupported, path, required, type FieldError, type Path } from '../field.ts'
import type { StatusRules, Strategy } from '../kind.ts'
import type { ExemptPriorityLevelConfiguration, LimitResponse, LimitedPriorityLevelConfiguration, PriorityLevelConfiguration, PriorityLevelConfigurationSpec, QueuingConfiguration } from '../schema/types.ts'
import { exemptName, mandatoryLevels } from './bootstrap.ts'
import { conditions } from './schemarules.ts'

const queuesMax = 10_000_000
/** Bits of a flow's hash that dealing a hand may use up. */
export const entropyBitsMax = 60
/** An older version's way to keep a zero; nobody may bring it. */
const keepZeroAnnotation = 'flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares'

export const levelStrategy: Strategy<PriorityLevelConfiguration> = { validateCreate: validate, validateUpdate: validate }

export const levelStatus: StatusRules<PriorityLevelConfiguration> = { validateUpdate: (next) => conditions(next.status?.conditions) }

function validate(level: Readonly<PriorityLevelConfiguration>): readonly FieldError[] {
  const errors: Errors = []
  const at = path('spec')
  if (level.metadata.annotations?.[keepZeroAnnotation] !== undefined) errors.push(forbiddenField(path('metadata', 'annotations'), `annotation '${keepZeroAnnotation}' is forbidden`))
  const spec = level.spec ?? { type: '' }
  const name = level.metadata.name ?? ''
  validateSpec(errors, name, spec, at)
  mandatory(errors, name, spec, at)
  return [...errors, ...conditions(level.status?.conditions)]
}

function mandatory(errors: Errors, name: string, spec: Readonly<PriorityLevelConfigurationSpec>, at: Path): void {
  const fixed = mandatoryLevels.find((known) => known.metadata.name === name)?.spec
  if (fixed === undefined) return
  if (name === exemptName) {
    if (!equalJson({ ...spec, exempt: fixed.exempt }, fixed)) errors.push(invalidValue(at, spec, `spec of '${name}' except the 'spec.exempt' field must equal the fixed value`))
  } else if (!equalJson(spec, fixed)) {
    errors.push(invalidValue(at, spec, `spec of '${name}' must equal the fixed value`))
  }
}

function validateSpec(errors: Errors, name: string, spec: Readonly<PriorityLevelConfigurationSpec>, at: Path): void {
  const { type, exempt, limited } = spec
  if ((name === exemptName) !== (type === 'Exempt')) errors.push(invalidValue(at.child('type'), type, "must be 'Exempt' if and only if `name` is 'exempt'"))
  if (type === 'Exempt') {
    if (limited !== undefined) errors.push(forbiddenField(at.child('limited'), 'must be nil if the type is not Limited'))
    if (exempt !== undefined) exemptRules(errors, exempt, at.child('exempt'))
  } else if (type === 'Limited') {
    if (exempt !== undefined) errors.push(forbiddenField(at.child('exempt'), 'must be nil if the type is Limited'))
    if (limited === undefined) errors.push(required(at.child('limited'), 'must not be empty when type is Limited'))
    else limitedRules(errors, limited, at.child('limited'))
  } else if (type === '') {
    errors.push(required(at.child('type')))
  } else {
    errors.push(notSupported(at.child('type'), type, ['Exempt', 'Limited']))
  }
}

function percent(errors: Errors, value: number | undefined, at: Path): void {
  if (value !== undefined && !(value >= 0 && value <= 100)) errors.push(invalidValue(at, value, 'must be between 0 and 100, inclusive'))
}

function shares(errors: Errors, value: number | undefined, at: Path): void {
  if ((value ?? 0) < 0) errors.push(invalidValue(at, value, 'must be a non-negative integer'))
}

function exemptRules(errors: Errors, exempt: Readonly<ExemptPriorityLevelConfiguration>, at: Path): void {
  shares(errors, exempt.nominalConcurrencyShares, at.child('nominalConcurrencyShares'))
  percent(errors, exempt.lendablePercent, at.child('lendablePercent'))
}

function limitedRules(errors: Errors, limited: Readonly<LimitedPriorityLevelConfiguration>, at: Path): void {
  shares(errors, limited.nominalConcurrencyShares, at.child('nominalConcurrencyShares'))
  response(errors, limited.limitResponse ?? { type: '' }, at.child('limitResponse'))
  percent(errors, limited.lendablePercent, at.child('lendablePercent'))
  const borrowing = limited.borrowingLimitPercent
  if ((borrowing ?? 0) < 0) errors.push(invalidValue(at.child('borrowingLimitPercent'), borrowing, 'if specified, must be a non-negative integer'))
}

function response(errors: Errors, { type, queuing }: Readonly<LimitResponse>, at: Path): void {
  if (type === 'Reject') {
    if (queuing !== undefined) errors.push(forbiddenField(at.child('queuing'), 'must be nil if limited.limitResponse.type is not Limited'))
  } else if (type === 'Queue') {
    if (queuing === undefined) errors.push(required(at.child('queuing'), 'must not be empty if limited.limitResponse.type is Limited'))
    else queuingRules(errors, queuing, at.child('queuing'))
  } else if ((type ?? '') === '') {
    errors.push(required(at.child('type')))
  } else {
    errors.push(notSupported(at.child('type'), type, ['Queue', 'Reject']))
  }
}

function queuingRules(errors: Errors, { queues = 0, handSize = 0, queueLengthLimit = 0 }: Readonly<QueuingConfiguration>, at: Path): void {
  if (queueLengthLimit <= 0) errors.push(invalidValue(at.child('queueLengthLimit'), queueLengthLimit, 'must be positive'))
  if (queues <= 0) errors.push(invalidValue(at.child('queues'), queues, 'must be positive'))
  else if (queues > queuesMax) errors.push(invalidValue(at.child('queues'), queues, `must not be greater than ${queuesMax}`))
  const hand = at.child('handSize')
  if (handSize <= 0) errors.push(invalidValue(hand, handSize, 'must be positive'))
  else if (handSize > queues) errors.push(invalidValue(hand, handSize, `should not be greater than queues (${queues})`))
  else if (entropyBits(queues, handSize) > entropyBitsMax) {
    errors.push(invalidValue(hand, handSize, `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${entropyBitsMax}`))
  }
}

/** Bits of hash that it takes to deal a hand out of a deck. */
export function entropyBits(deckSize: number, handSize: number): number {
  return Math.ceil(Math.log2(deckSize) * handSize)
}
