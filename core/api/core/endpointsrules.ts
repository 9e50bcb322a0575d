/** Rules of Endpoints (k8s.io/kubernetes/pkg/apis/core/validation/validation.go). */
import { endpointIp, ipWarnings, label, legacyIp, needsOneOf, qualified, say, subdomain, type Errors } from '../checks.ts'
import { equalJson } from '../../lib/json.ts'
import { path, required, type Path } from '../field.ts'
import type { Strategy } from '../kind.ts'
import { portNumber } from '../names.ts'
import type { EndpointPort, EndpointAddress, Endpoints } from '../schema/types.ts'
import { protocols } from './podspec/containers.ts'

const at = path('subsets')
const lists = ['addresses', 'notReadyAddresses'] as const

function validate(endpoints: Readonly<Endpoints>): Errors {
  const errors: Errors = []
  endpoints.subsets?.forEach((subset, i) => {
    const here = at.index(i)
    if (lists.every((list) => (subset[list] ?? []).length === 0)) errors.push(required(here, 'must specify `addresses` or `notReadyAddresses`'))
    for (const list of lists) subset[list]?.forEach((address, j) => validateAddress(errors, address, here.child(list).index(j)))
    subset.ports?.forEach((port, j) => validatePort(errors, port, (subset.ports ?? []).length > 1, here.child('ports').index(j)))
  })
  return errors
}

function validateAddress(errors: Errors, address: Readonly<EndpointAddress>, at: Path): void {
  legacyIp(errors, address.ip, at.child('ip'))
  if ((address.hostname ?? '') !== '') label(errors, address.hostname ?? '', at.child('hostname'))
  if (address.nodeName !== undefined) subdomain(errors, address.nodeName, at.child('nodeName'))
  endpointIp(errors, address.ip, at.child('ip'))
}

function validatePort(errors: Errors, port: Readonly<EndpointPort>, named: boolean, at: Path): void {
  const name = port.name ?? ''
  if (name !== '') label(errors, name, at.child('name'))
  else if (named) errors.push(required(at.child('name')))
  say(errors, at.child('port'), port.port, portNumber(port.port))
  needsOneOf(errors, port.protocol, protocols, at.child('protocol'))
  if (port.appProtocol !== undefined) qualified(errors, port.appProtocol, at.child('appProtocol'))
}

export const endpointsStrategy: Strategy<Endpoints> = {
  validateCreate: validate,
  // What was bad before the rules were is let stand.
  validateUpdate: (next, prev) => (equalJson(next.subsets ?? null, prev.subsets ?? null) ? [] : validate(next)),
  warnings(next) {
    if (next.metadata.labels?.['endpoints.kubernetes.io/managed-by'] === 'endpoint-controller') return []
    return (next.subsets ?? []).flatMap((subset, i) => lists.flatMap((list) => (subset[list] ?? []).flatMap((address, j) => ipWarnings(at.index(i).child(list).index(j).child('ip'), address.ip))))
  },
}
