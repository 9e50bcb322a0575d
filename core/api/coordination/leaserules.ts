/** Rules of Leases (k8s.io/kubernetes/pkg/apis/coordination/validation/validation.go). */
import { qualified, type Errors } from '../checks.ts'
import { forbiddenField, invalidValue, notSupported, path } from '../field.ts'
import type { Strategy } from '../kind.ts'
import type { Lease } from '../schema/types.ts'

const at = path('spec')

function validate(lease: Readonly<Lease>): Errors {
  const errors: Errors = []
  const { leaseDurationSeconds: seconds, leaseTransitions: count, strategy, preferredHolder = '' } = lease.spec ?? {}
  if (seconds !== undefined && seconds <= 0) errors.push(invalidValue(at.child('leaseDurationSeconds'), seconds, 'must be greater than 0'))
  if (count !== undefined && count < 0) errors.push(invalidValue(at.child('leaseTransitions'), count, 'must be greater than or equal to 0'))
  if (strategy !== undefined) {
    const here = at.child('strategy', 'strategy')
    if (strategy.includes('/')) qualified(errors, strategy, here)
    else if (strategy !== 'OldestEmulationVersion') errors.push(notSupported(here, strategy, ['OldestEmulationVersion']))
  }
  if (preferredHolder !== '' && (strategy ?? '') === '') errors.push(forbiddenField(at.child('preferredHolder'), 'may only be specified if `strategy` is defined'))
  return errors
}

/** Coordinated election is behind a feature that is off by default: its fields go, unless they are in use. */
function dropDisabled(next: Lease, prev?: Readonly<Lease>): void {
  if (prev?.spec?.strategy !== undefined || prev?.spec?.preferredHolder !== undefined) return
  delete next.spec?.strategy
  delete next.spec?.preferredHolder
}

export const leaseStrategy: Strategy<Lease> = {
  prepareCreate: (lease) => dropDisabled(lease),
  prepareUpdate: dropDisabled,
  validateCreate: validate,
  validateUpdate: validate,
}
