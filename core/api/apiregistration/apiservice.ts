/**
 * The kind APIService of apiregistration.k8s.io/v1: one group-version, and who serves it. Its rules are
 * kube-aggregator's (pkg/apis/apiregistration/validation, pkg/registry/apiservice). What its status says is
 * conditions.ts, which of them this server makes by itself is priorities.ts.
 */
import { ageColumn, nameColumn, text } from '../columns.ts'
import { needsText, say, subdomain, type Errors } from '../checks.ts'
import { invalidValue, notSupported, path, required } from '../field.ts'
import { defineKind, type Kind, type StatusRules, type Strategy } from '../kind.ts'
import { dns1035Label, pathSegment, portNumber } from '../names.ts'
import type { APIService, APIServiceSpec } from '../schema/types.ts'
import { availability, localCondition, serviceOf, withCondition } from './conditions.ts'

const groupPriorityMax = 20_000
const versionPriorityMax = 1_000
const at = path('spec')

/** `v1.apps`; of the core group `v1.`. */
export function apiServiceName({ group = '', version = '' }: Pick<APIServiceSpec, 'group' | 'version'>): string {
  return `${version}.${group}`
}

function validate(service: Readonly<APIService>): Errors {
  const errors: Errors = []
  const { group = '', version = '', groupPriorityMinimum: minimum = 0, versionPriority: priority = 0 } = service.spec ?? {}
  const want = apiServiceName({ group, version })
  for (const field of ['generateName', 'name'] as const) {
    const name = service.metadata[field] ?? ''
    if (name !== '' && name !== want && pathSegment(name, field === 'generateName').length === 0) errors.push(invalidValue(path('metadata', field), name, `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(want)}`))
  }
  if (group === '' && version !== 'v1') errors.push(required(at.child('group'), 'only v1 may have an empty group and it better be legacy kube'))
  if (group !== '') subdomain(errors, group, at.child('group'))
  say(errors, at.child('version'), version, dns1035Label(version))
  if (minimum <= 0 || minimum > groupPriorityMax) errors.push(invalidValue(at.child('groupPriorityMinimum'), minimum, `must be positive and less than ${groupPriorityMax}`))
  if (priority <= 0 || priority > versionPriorityMax) errors.push(invalidValue(at.child('versionPriority'), priority, `must be positive and less than ${versionPriorityMax}`))
  return [...errors, ...(serviceOf(service) === undefined ? validateLocal(service) : validateRemote(service))]
}

function validateLocal({ spec }: Readonly<APIService>): Errors {
  const errors: Errors = []
  const bytes = bytesOf(spec?.caBundle)
  if (bytes > 0) errors.push(invalidValue(at.child('caBundle'), `${bytes} bytes`, 'local APIServices may not have a caBundle'))
  if (spec?.insecureSkipTLSVerify === true) errors.push(invalidValue(at.child('insecureSkipTLSVerify'), true, 'local APIServices may not have insecureSkipTLSVerify'))
  return errors
}

function validateRemote({ spec }: Readonly<APIService>): Errors {
  const errors: Errors = []
  const service = at.child('service')
  const port = spec?.service?.port ?? 0
  needsText(errors, spec?.service?.namespace, service.child('namespace'))
  needsText(errors, spec?.service?.name, service.child('name'))
  const wrong = portNumber(port)
  if (wrong.length > 0) errors.push(invalidValue(service.child('port'), port, `port is not valid: ${wrong.join(', ')}`))
  if (spec?.insecureSkipTLSVerify === true && bytesOf(spec.caBundle) > 0) errors.push(invalidValue(at.child('insecureSkipTLSVerify'), true, 'may not be true if caBundle is present'))
  return errors
}

/** Of base64. */
function bytesOf(text = ''): number {
  return Math.floor((text.replaceAll('=', '').length * 3) / 4)
}

const strategy: Strategy<APIService> = {
  prepareCreate(service, { now }) {
    if (serviceOf(service) === undefined) service.status = withCondition(service.status, localCondition(now))
  },
  validateCreate: validate,
  validateUpdate: validate,
}

const statuses = ['True', 'False', 'Unknown']

const status: StatusRules<APIService> = {
  // Field ownership is kept: it is written by the server itself.
  prepareUpdate(next, prev) {
    for (const field of ['labels', 'annotations', 'finalizers', 'ownerReferences'] as const) {
      if (prev.metadata[field] === undefined) delete next.metadata[field]
      else Object.assign(next.metadata, { [field]: prev.metadata[field] })
    }
  },
  validateUpdate: (next) => (next.status?.conditions ?? []).flatMap((condition, i) =>
    statuses.includes(condition.status) ? [] : [notSupported(path('status', 'conditions').index(i).child('status'), condition.status, statuses)]),
}

export const apiServices: Kind<APIService> = defineKind<APIService>({
  group: 'apiregistration.k8s.io',
  version: 'v1',
  kind: 'APIService',
  plural: 'apiservices',
  singular: 'apiservice',
  namespaced: false,
  categories: ['api-extensions'],
  status,
  strategy,
  validateName: pathSegment,
  unconditionalUpdate: false,
  columns: [
    nameColumn,
    text('Service', whereShown, 'The reference to the service that hosts this API endpoint.'),
    text('Available', availableShown, 'Whether this service is available.'),
    ageColumn,
  ],
})

function whereShown(object: Readonly<APIService>): string {
  const service = serviceOf(object)
  return service === undefined ? 'Local' : `${service.namespace ?? ''}/${service.name ?? ''}`
}

function availableShown(object: Readonly<APIService>): string {
  const condition = availability(object)
  if (condition === undefined) return 'Unknown'
  return condition.status === 'True' || (condition.reason ?? '') === '' ? condition.status : `${condition.status} (${condition.reason ?? ''})`
}
