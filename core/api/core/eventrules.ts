/** Rules of Events, older and newer: upstream checks both in one form, more strictly for the newer version (k8s.io/kubernetes/pkg/apis/core/validation/events.go). */
import { immutable, qualified, type Errors } from '../checks.ts'
import { invalidValue, path, required } from '../field.ts'
import type { Strategy } from '../kind.ts'
import type { Event } from '../schema/types.ts'

const limits = { reportingInstance: 128, action: 128, reason: 128, message: 1_024 } as const

function validate(event: Readonly<Event>, controllerField: string): Errors {
  const errors: Errors = []
  const namespace = event.metadata.namespace ?? ''
  const of = event.involvedObject.namespace ?? ''
  const mismatch = invalidValue(path('involvedObject', 'namespace'), of, 'does not match event.namespace')
  if (event.eventTime === undefined || event.eventTime === null) {
    if (of === '' ? namespace !== 'default' : namespace !== of) errors.push(mismatch)
    return errors
  }
  if (of === '' && namespace !== 'default' && namespace !== 'kube-system') errors.push(mismatch)
  const controller = event.reportingComponent ?? ''
  if (controller === '') errors.push(required(path(controllerField)))
  qualified(errors, controller, path(controllerField))
  for (const field of ['reportingInstance', 'action', 'reason', 'message'] as const) {
    const text = event[field] ?? ''
    if (text === '' && field !== 'message') errors.push(required(path(field)))
    if (text.length > limits[field]) errors.push(invalidValue(path(field), '', `can have at most ${limits[field]} characters`))
  }
  return errors
}

function series(errors: Errors, event: Readonly<Event>): void {
  if (event.series === undefined) return
  if ((event.series.count ?? 0) < 2) errors.push(invalidValue(path('series.count'), '', 'should be at least 2'))
  if ((event.series.lastObservedTime ?? null) === null) errors.push(required(path('series.lastObservedTime')))
}

export const eventStrategy: Strategy<Event> = {
  validateCreate: (event) => validate(event, 'reportingComponent'),
  validateUpdate: (event) => validate(event, 'reportingComponent'),
}

/** Of events.k8s.io/v1, in the older form. */
export function validateNewEvent(event: Readonly<Event>): Errors {
  const errors = validate(event, 'reportingController')
  series(errors, event)
  const type = event.type ?? ''
  if ((event.eventTime ?? null) === null) errors.push(required(path('eventTime')))
  if (type !== 'Normal' && type !== 'Warning') errors.push(invalidValue(path('type'), '', `has invalid value: ${type}`))
  const unset = 'needs to be unset'
  for (const field of ['firstTimestamp', 'lastTimestamp'] as const) if ((event[field] ?? null) !== null) errors.push(invalidValue(path(field), '', unset))
  if ((event.count ?? 0) !== 0) errors.push(invalidValue(path('count'), '', unset))
  if ((event.source?.component ?? '') !== '' || (event.source?.host ?? '') !== '') errors.push(invalidValue(path('source'), '', unset))
  return errors
}

const fixed = ['involvedObject', 'reason', 'message', 'source', 'firstTimestamp', 'lastTimestamp', 'count', 'type', 'eventTime', 'action', 'related'] as const

export function validateNewEventChange(next: Readonly<Event>, prev: Readonly<Event>): Errors {
  const errors = validate(next, 'reportingController')
  if (JSON.stringify(next.series ?? null) !== JSON.stringify(prev.series ?? null)) series(errors, next)
  for (const field of fixed) immutable(errors, next[field], prev[field], path(field))
  immutable(errors, next.reportingComponent ?? '', prev.reportingComponent ?? '', path('reportingController'))
  immutable(errors, next.reportingInstance ?? '', prev.reportingInstance ?? '', path('reportingInstance'))
  return errors
}
