/** Rules of Ingresses and IngressClasses (k8s.io/kubernetes/pkg/apis/networking/validation/validation.go). */
import { domainPath, immutable, ipWarnings, looseIp, say, subdomain, type Errors } from '../checks.ts'
import { ingressPoint } from '../core/servicerules.ts'
import { forbiddenField, invalidValue, notSupported, path, required, tooLong, type Path } from '../field.ts'
import type { StatusRules, Strategy } from '../kind.ts'
import { dns1123Label, dns1123Subdomain, pathSegment, portName, portNumber, wildcardName } from '../names.ts'
import type { HTTPIngressPath, Ingress, IngressBackend, IngressClass, IngressClassParametersReference } from '../schema/types.ts'

const at = path('spec')
const classAnnotation = 'kubernetes.io/ingress.class'

function validate(ingress: Readonly<Ingress>): Errors {
  const errors: Errors = []
  const spec = ingress.spec ?? {}
  const rules = spec.rules ?? []
  if (rules.length === 0 && spec.defaultBackend === undefined) errors.push(invalidValue(at, spec.rules ?? null, 'either `defaultBackend` or `rules` must be specified'))
  if (spec.defaultBackend !== undefined) backend(errors, spec.defaultBackend, at.child('defaultBackend'))
  rules.forEach((rule, i) => {
    const here = at.child('rules').index(i)
    const host = rule.host ?? ''
    if (host !== '' && looseIp(host) !== undefined) errors.push(invalidValue(here.child('host'), host, 'must be a DNS name, not an IP address'))
    if (host !== '') say(errors, here.child('host'), host, hostRule(host))
    if (rule.http === undefined) return
    const paths = rule.http.paths ?? []
    if (paths.length === 0) errors.push(required(here.child('http', 'paths')))
    paths.forEach((one, j) => onePath(errors, one, here.child('http', 'paths').index(j)))
  })
  spec.tls?.forEach((tls, i) => {
    const here = at.child('tls').index(i)
    tls.hosts?.forEach((host, j) => say(errors, here.child('hosts').index(j), host, hostRule(host)))
    const secret = tls.secretName ?? ''
    if (secret !== '') subdomain(errors, secret, here.child('secretName'))
  })
  if (spec.ingressClassName !== undefined) subdomain(errors, spec.ingressClassName, at.child('ingressClassName'))
  return errors
}

const hostRule = (host: string): readonly string[] => (host.includes('*') ? wildcardName(host) : dns1123Subdomain(host))

function onePath(errors: Errors, one: Readonly<HTTPIngressPath>, at: Path): void {
  const { path: text = '', pathType: type } = one
  const here = at.child('path')
  if (type === undefined || type === '') {
    errors.push(type === undefined ? required(at.child('pathType'), 'pathType must be specified') : notSupported(at.child('pathType'), type, pathTypes))
    if (type === undefined) return
  } else if (type === 'Exact' || type === 'Prefix') {
    if (!text.startsWith('/')) errors.push(invalidValue(here, text, 'must be an absolute path'))
    for (const part of ['//', '/./', '/../', '%2f', '%2F']) if (text.includes(part)) errors.push(invalidValue(here, text, `must not contain '${part}'`))
    for (const end of ['/..', '/.']) if (text.endsWith(end)) errors.push(invalidValue(here, text, `cannot end with '${end}'`))
  } else if (type === 'ImplementationSpecific') {
    if (text !== '' && !text.startsWith('/')) errors.push(invalidValue(here, text, 'must be an absolute path'))
  } else {
    errors.push(notSupported(at.child('pathType'), type, pathTypes))
  }
  backend(errors, one.backend, at.child('backend'))
}

const pathTypes = ['Exact', 'ImplementationSpecific', 'Prefix']

function backend(errors: Errors, of: Readonly<IngressBackend>, at: Path): void {
  const { resource, service } = of
  if (resource !== undefined && service !== undefined) {
    errors.push(invalidValue(at, '', 'cannot set both resource and service backends'))
  } else if (resource !== undefined) {
    const here = at.child('resource')
    if (resource.apiGroup !== undefined) say(errors, here.child('apiGroup'), resource.apiGroup, dns1123Subdomain(resource.apiGroup))
    segments(errors, resource, here)
  } else if (service === undefined) {
    errors.push(invalidValue(at, '', 'resource or service backend is required'))
  } else {
    const here = at.child('service')
    if (service.name === '') errors.push(required(here.child('name')))
    else say(errors, here.child('name'), service.name, dns1123Label(service.name))
    const { name = '', number = 0 } = service.port ?? {}
    if (name !== '' && number !== 0) errors.push(invalidValue(at, '', 'cannot set both port name & port number'))
    else if (name !== '') say(errors, here.child('port', 'name'), name, portName(name))
    else if (number !== 0) say(errors, here.child('port', 'number'), number, portNumber(number))
    else errors.push(required(at, 'port name or number is required'))
  }
}

function segments(errors: Errors, of: { readonly kind: string; readonly name: string }, at: Path): void {
  for (const field of ['kind', 'name'] as const) {
    if (of[field] === '') errors.push(required(at.child(field)))
    else say(errors, at.child(field), of[field], pathSegment(of[field], false))
  }
}

export const ingressStrategy: Strategy<Ingress> = {
  validateCreate(ingress) {
    const errors = validate(ingress)
    const annotation = ingress.metadata.annotations?.[classAnnotation]
    const name = ingress.spec?.ingressClassName
    if (annotation !== undefined && name !== undefined && annotation !== name) {
      errors.push(invalidValue(path('annotations', classAnnotation), annotation, 'must match `ingressClassName` when both are specified'))
    }
    return errors
  },
  validateUpdate: validate,
  warnings(next, prev) {
    const old = prev === undefined && next.metadata.annotations?.[classAnnotation] !== undefined && next.spec?.ingressClassName === undefined
    return old ? [`annotation ${JSON.stringify(classAnnotation)} is deprecated, please use 'spec.ingressClassName' instead`] : []
  },
}

export const ingressStatus: StatusRules<Ingress> = {
  validateUpdate(next, prev) {
    const errors: Errors = []
    const existing = (prev.status?.loadBalancer?.ingress ?? []).map((point) => point.ip ?? '').filter((ip) => ip !== '')
    next.status?.loadBalancer?.ingress?.forEach((point, i) => ingressPoint(errors, point, path('status', 'loadBalancer', 'ingress').index(i), existing))
    return errors
  },
  warnings: (next) => (next.status?.loadBalancer?.ingress ?? []).flatMap((point, i) => ((point.ip ?? '') === '' ? [] : ipWarnings(path('status', 'loadBalancer', 'ingress').index(i), point.ip ?? ''))),
}

const controllerMax = 250

function validateClass(of: Readonly<IngressClass>): Errors {
  const errors: Errors = []
  const controller = of.spec?.controller ?? ''
  if (controller.length > controllerMax) errors.push(tooLong(at.child('controller'), controllerMax))
  domainPath(errors, controller, at.child('controller'))
  if (of.spec?.parameters !== undefined) parameters(errors, of.spec.parameters, at.child('parameters'))
  return errors
}

function parameters(errors: Errors, of: Readonly<IngressClassParametersReference>, at: Path): void {
  if (of.apiGroup !== undefined) say(errors, at.child('apiGroup'), of.apiGroup, dns1123Subdomain(of.apiGroup))
  segments(errors, of, at)
  const { scope, namespace } = of
  const here = at.child('namespace')
  if (scope === undefined) errors.push(required(at.child('scope')))
  else if (scope !== 'Cluster' && scope !== 'Namespace') errors.push(notSupported(at.child('scope'), scope, ['Cluster', 'Namespace']))
  else if (scope === 'Cluster') {
    if (namespace !== undefined) errors.push(forbiddenField(here, "`parameters.scope` is set to 'Cluster'"))
  } else if (namespace === undefined) errors.push(required(here, "`parameters.scope` is set to 'Namespace'"))
  else say(errors, here, namespace, dns1123Label(namespace))
}

export const ingressClassStrategy: Strategy<IngressClass> = {
  validateCreate: validateClass,
  validateUpdate(next, prev) {
    const errors: Errors = []
    immutable(errors, next.spec?.controller ?? '', prev.spec?.controller ?? '', at.child('controller'))
    return [...errors, ...validateClass(next)]
  },
}
