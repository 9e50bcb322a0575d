/** Probes and lifecycle handlers of containers (k8s.io/kubernetes/pkg/apis/core/validation/validation.go). */
import { nonNegatives, portNumberOrName, say, type Errors } from '../../checks.ts'
import { forbiddenField, invalidValue, notSupported, required, type Path } from '../../field.ts'
import { httpHeaderName } from '../../names.ts'
import type * as k from '../../schema/types.ts'

type Handler = Readonly<k.LifecycleHandler & k.Probe>

function handler(errors: Errors, of: Handler, graceS: number | undefined, at: Path): void {
  let count = 0
  const each: readonly (readonly [keyof Handler, (here: Path) => void])[] = [
    ['exec', (here) => { if ((of.exec?.command ?? []).length === 0) errors.push(required(here.child('command'))) }],
    ['httpGet', (here) => httpGet(errors, of.httpGet as k.HTTPGetAction, here)],
    ['tcpSocket', (here) => portNumberOrName(errors, of.tcpSocket?.port ?? 0, here.child('port'))],
    ['grpc', (here) => portNumberOrName(errors, of.grpc?.port ?? 0, here.child('port'))],
    ['sleep', (here) => {
      const seconds = of.sleep?.seconds ?? 0
      if (graceS === undefined || (seconds >= 0 && seconds <= graceS)) return
      errors.push(invalidValue(here, seconds, `must be non-negative and less than terminationGracePeriodSeconds (${graceS})`))
    }],
  ]
  for (const [field, check] of each) {
    if (of[field] === undefined) continue
    if (count++ > 0) errors.push(forbiddenField(at.child(field), 'may not specify more than 1 handler type'))
    else check(at.child(field))
  }
  if (count === 0) errors.push(required(at, 'must specify a handler type'))
}

function httpGet(errors: Errors, action: Readonly<k.HTTPGetAction>, at: Path): void {
  if ((action.path ?? '') === '') errors.push(required(at.child('path')))
  portNumberOrName(errors, action.port, at.child('port'))
  if (action.scheme !== 'HTTP' && action.scheme !== 'HTTPS') errors.push(notSupported(at.child('scheme'), action.scheme ?? '', ['HTTP', 'HTTPS']))
  for (const header of action.httpHeaders ?? []) say(errors, at.child('httpHeaders'), header.name, httpHeaderName(header.name))
}

function probe(errors: Errors, of: Readonly<k.Probe>, at: Path): void {
  handler(errors, of, undefined, at)
  nonNegatives(errors, of, at, 'initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold')
  const graceS = of.terminationGracePeriodSeconds
  if (graceS !== undefined && graceS <= 0) errors.push(invalidValue(at.child('terminationGracePeriodSeconds'), graceS, 'must be greater than 0'))
}

export function validateProbes(errors: Errors, of: Readonly<k.Container>, at: Path): void {
  for (const field of ['livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
    const one = of[field]
    if (one === undefined) continue
    const here = at.child(field)
    probe(errors, one, here)
    if (field === 'readinessProbe') {
      if (one.terminationGracePeriodSeconds !== undefined) {
        errors.push(invalidValue(here.child('terminationGracePeriodSeconds'), one.terminationGracePeriodSeconds, 'must not be set for readinessProbes'))
      }
    } else if (one.successThreshold !== 1) {
      errors.push(invalidValue(here.child('successThreshold'), one.successThreshold ?? 0, 'must be 1'))
    }
  }
}

/** Stop signals are not served: upstream drops them behind a feature that is off by default. */
export function validateLifecycle(errors: Errors, of: Readonly<k.Lifecycle> | undefined, graceS: number | undefined, at: Path): void {
  if (of?.postStart !== undefined) handler(errors, of.postStart, graceS, at.child('postStart'))
  if (of?.preStop !== undefined) handler(errors, of.preStop, graceS, at.child('preStop'))
}
