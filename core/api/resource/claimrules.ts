/**
 * Rules of ResourceClaims and their templates: requests, constraints, configuration; what is asked for never changes
 * (pkg/apis/resource/validation/validation.go, pkg/registry/resource/{resourceclaim,resourceclaimtemplate}). Their status is statusrules.ts.
 */
import { equalJson } from '../../lib/json.ts'
import { label, notPositiveSentence, oneOf, qualified, say, subdomain, type Errors } from '../checks.ts'
import { forbiddenField, invalidValue, notSupported, path, required, type Path } from '../field.ts'
import type { Strategy } from '../kind.ts'
import { immutableSentence, validateAnnotations, validateLabels } from '../metavalidation.ts'
import { labelValue } from '../names.ts'
import type * as k from '../schema/types.ts'
import { configMax, configuration, selectors } from './configrules.ts'
import { each, eachOnce, fullAttributeName } from './names.ts'
import { shownClaimSpec, shownTemplateSpec } from './shown.ts'

const requestsMax = 32
const constraintsMax = 32
const alternativesMax = 8

/** Requests by name; those with alternatives have names below theirs. */
export type RequestNames = ReadonlyMap<string, ReadonlySet<string>>

export function requestNames({ devices }: Readonly<k.ResourceClaimSpec>): RequestNames {
  return new Map((devices?.requests ?? []).map(({ name, firstAvailable = [] }) => [name, new Set(firstAvailable.map((sub) => sub.name))]))
}

function validateClaim(errors: Errors, spec: Readonly<k.ResourceClaimSpec>, at: Path): void {
  const { requests, constraints, config } = spec.devices ?? {}
  const here = at.child('devices')
  const names = requestNames(spec)
  eachOnce(errors, requests, requestsMax, here.child('requests'), ({ name }) => name, (of, place) => request(errors, of, place))
  each(errors, constraints, constraintsMax, here.child('constraints'), (of, place) => constraint(errors, of, place, names))
  each(errors, config, configMax, here.child('config'), (of, place) => {
    requestRefs(errors, of.requests, place.child('requests'), names)
    configuration(errors, of, place)
  })
}

const oneForm = 'exactly one of `exactly` or `firstAvailable` is required'

function request(errors: Errors, { name, exactly, firstAvailable = [] }: Readonly<k.DeviceRequest>, at: Path): void {
  label(errors, name, at.child('name'))
  if (exactly !== undefined && firstAvailable.length > 0) errors.push(invalidValue(at, null, `${oneForm}, but multiple fields are set`))
  else if (exactly !== undefined) choice(errors, exactly, at.child('exactly'))
  else if (firstAvailable.length === 0) errors.push(required(at, oneForm))
  else {
    eachOnce(errors, firstAvailable, alternativesMax, at.child('firstAvailable'), (sub) => sub.name, (sub, here) => {
      label(errors, sub.name, here.child('name'))
      choice(errors, sub, here)
    })
  }
}

function choice(errors: Errors, of: Readonly<k.ExactDeviceRequest | k.DeviceSubRequest>, at: Path): void {
  if (of.deviceClassName === '') errors.push(required(at.child('deviceClassName')))
  else subdomain(errors, of.deviceClassName, at.child('deviceClassName'))
  selectors(errors, of.selectors, at.child('selectors'))
  const { allocationMode: mode = '', count = 0 } = of
  if (mode === 'All') {
    if (count !== 0) errors.push(invalidValue(at.child('count'), count, `must not be specified when allocationMode is '${mode}'`))
  } else if (mode === 'ExactCount') {
    if (count <= 0) errors.push(invalidValue(at.child('count'), count, notPositiveSentence))
  } else {
    oneOf(errors, mode, ['All', 'ExactCount'], at.child('allocationMode'))
  }
  of.tolerations?.forEach((toleration, i) => tolerates(errors, toleration, at.child('tolerations').index(i)))
}

export const taintEffects = ['NoExecute', 'NoSchedule', 'None'] as const

function tolerates(errors: Errors, { key = '', operator = '', value = '', effect = '' }: Readonly<k.DeviceToleration>, at: Path): void {
  if (key !== '') qualified(errors, key, at.child('key'))
  if (operator === 'Exists') {
    if (value !== '') errors.push(invalidValue(at.child('value'), value, 'must be empty for operator `Exists`'))
  } else if (operator === 'Equal') {
    say(errors, at.child('value'), value, labelValue(value))
  } else if (operator === '') {
    errors.push(required(at.child('operator')))
  } else {
    errors.push(notSupported(at.child('operator'), operator, ['Equal', 'Exists']))
  }
  if (effect !== '') oneOf(errors, effect, taintEffects, at.child('effect'))
}

function constraint(errors: Errors, { requests, matchAttribute, distinctAttribute }: Readonly<k.DeviceConstraint>, at: Path, names: RequestNames): void {
  requestRefs(errors, requests, at.child('requests'), names)
  if (matchAttribute !== undefined) fullAttributeName(errors, matchAttribute, at.child('matchAttribute'))
  else if (distinctAttribute !== undefined) fullAttributeName(errors, distinctAttribute, at.child('distinctAttribute'))
  else errors.push(required(at, 'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set'))
}

export function requestRefs(errors: Errors, refs: readonly string[] | undefined, at: Path, names: RequestNames): void {
  eachOnce(errors, refs, requestsMax, at, (name) => name, (name, here) => requestRef(errors, name, here, names))
}

const refSentence = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"

/** `request`, or `request/alternative`. */
export function requestRef(errors: Errors, name: string, at: Path, names: RequestNames): void {
  const [first = '', second, ...more] = name.split('/')
  if (more.length > 0) {
    errors.push(invalidValue(at, name, refSentence))
    return
  }
  for (const segment of name.split('/')) label(errors, segment, at)
  const below = names.get(first)
  if (below === undefined || (second !== undefined && !below.has(second))) errors.push(invalidValue(at, name, refSentence))
}

export const claimStrategy: Strategy<k.ResourceClaim> = {
  validateCreate(claim) {
    const errors: Errors = []
    validateClaim(errors, claim.spec, path('spec'))
    return errors
  },
  validateUpdate: (next, prev) => (equalJson(next.spec, prev.spec) ? [] : [invalidValue(path('spec'), shownClaimSpec(next.spec), immutableSentence)]),
}

function validateTemplate({ spec }: Readonly<k.ResourceClaimTemplate>): Errors {
  const errors: Errors = []
  const at = path('spec')
  const { annotations, labels, ...rest } = spec.metadata ?? {}
  if (annotations !== undefined) errors.push(...validateAnnotations(annotations, at.child('metadata', 'annotations')))
  if (labels !== undefined) errors.push(...validateLabels(labels, at.child('metadata', 'labels')))
  for (const field of Object.keys(rest)) errors.push(forbiddenField(at.child('metadata', field === 'uid' ? 'uID' : field), 'cannot be set')) // as Go names it
  validateClaim(errors, spec.spec, at.child('spec'))
  return errors
}

export const claimTemplateStrategy: Strategy<k.ResourceClaimTemplate> = {
  validateCreate: validateTemplate,
  validateUpdate: (next, prev) => [
    ...validateTemplate(next),
    ...(equalJson(next.spec, prev.spec) ? [] : [invalidValue(path('spec'), shownTemplateSpec(next.spec), immutableSentence)]),
  ],
}
