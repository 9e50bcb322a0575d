/** The rules of Services (k8s.io/kubernetes/pkg/apis/core/validation/validation.go, pkg/api/service/warnings.go). What their writes mean is serviceprepare.ts, addresses are serviceips.ts. */
import {
  cidrWarnings, endpointIp, ipWarnings, label, legacyCidr, legacyIp, looseIp, needsOneOf, portNumberOrName, qualified, say, subdomain, type Errors,
} from '../checks.ts'
import { duplicate, forbiddenField, invalidValue, notSupported, path, required, type Path } from '../field.ts'
import type { StatusRules, Strategy } from '../kind.ts'
import { validateLabels } from '../metavalidation.ts'
import { dns1123Subdomain, portNumber } from '../names.ts'
import type { LoadBalancerStatus, Service, ServicePort, ServiceSpec } from '../schema/types.ts'
import { protocols } from './podspec/containers.ts'
import { validateAddressChange, validateAddresses } from './serviceips.ts'
import { externallyAccessible, isHeadless, needsHealthCheck, prepareServiceCreate, prepareServiceUpdate } from './serviceprepare.ts'

const at = path('spec')
const hintsAnnotation = 'service.kubernetes.io/topology-aware-hints'
const modeAnnotation = 'service.kubernetes.io/topology-mode'
const rangesAnnotation = 'service.beta.kubernetes.io/load-balancer-source-ranges'
const affinitySecondsMax = 86_400
const onlyBalanced = "may only be used when `type` is 'LoadBalancer'"

function validate(service: Readonly<Service>, prev?: Readonly<Service>): Errors {
  const errors: Errors = []
  const spec = service.spec ?? {}
  const annotations = service.metadata.annotations ?? {}
  const [hints, mode] = [annotations[hintsAnnotation], annotations[modeAnnotation]]
  if (hints !== undefined && mode !== undefined && hints !== mode) {
    errors.push(invalidValue(path('metadata', 'annotations').key(modeAnnotation), mode, `must match annotations[${hintsAnnotation}] when both are specified`))
  }
  const ports = spec.ports ?? []
  if (ports.length === 0 && !isHeadless(spec) && spec.type !== 'ExternalName') errors.push(required(at.child('ports')))
  ofType(errors, spec)
  eachPort(errors, ports)
  if (spec.selector !== undefined) errors.push(...validateLabels(spec.selector, at.child('selector')))
  needsOneOf(errors, spec.sessionAffinity, ['ClientIP', 'None'], at.child('sessionAffinity'))
  affinity(errors, spec)
  validateAddresses(errors, spec, prev?.spec)
  spec.externalIPs?.forEach((ip, i) => {
    const here = at.child('externalIPs').index(i)
    const found: Errors = []
    legacyIp(found, ip, here, prev?.spec?.externalIPs)
    if (found.length === 0) endpointIp(found, ip, here)
    errors.push(...found)
  })
  needsOneOf(errors, spec.type, ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'], at.child('type'))
  uniquePorts(errors, spec)
  sourceRanges(errors, service, prev)
  if (spec.allocateLoadBalancerNodePorts !== undefined && spec.type !== 'LoadBalancer') errors.push(forbiddenField(at.child('allocateLoadBalancerNodePorts'), onlyBalanced))
  if (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts === undefined) errors.push(required(path('allocateLoadBalancerNodePorts')))
  balancerClass(errors, spec)
  traffic(errors, spec)
  return errors
}

function ofType(errors: Errors, spec: Readonly<ServiceSpec>): void {
  const { type } = spec
  if ((type === 'LoadBalancer' || type === 'NodePort') && isHeadless(spec)) {
    errors.push(invalidValue(at.child('clusterIPs').index(0), 'None', `may not be set to 'None' for ${type} services`))
  }
  if (type !== 'ExternalName') return
  for (const field of ['clusterIPs', 'ipFamilies', 'ipFamilyPolicy'] as const) {
    if (spec[field] !== undefined && spec[field]?.length !== 0) errors.push(forbiddenField(at.child(field), 'may not be set for ExternalName services'))
  }
  const name = (spec.externalName ?? '').replace(/\.$/, '')
  if (name === '') errors.push(required(at.child('externalName')))
  else subdomain(errors, name, at.child('externalName'))
}

function eachPort(errors: Errors, ports: readonly Readonly<ServicePort>[]): void {
  const names = new Set<string>()
  ports.forEach((port, i) => {
    const here = at.child('ports').index(i)
    const name = port.name ?? ''
    if (name === '') {
      if (ports.length > 1) errors.push(required(here.child('name')))
    } else {
      label(errors, name, here.child('name'))
      if (names.has(name)) errors.push(duplicate(here.child('name'), name))
      names.add(name)
    }
    say(errors, here.child('port'), port.port, portNumber(port.port))
    needsOneOf(errors, port.protocol, protocols, here.child('protocol'))
    portNumberOrName(errors, port.targetPort ?? 0, here.child('targetPort'))
    if (port.appProtocol !== undefined) qualified(errors, port.appProtocol, here.child('appProtocol'))
  })
}

function uniquePorts(errors: Errors, spec: Readonly<ServiceSpec>): void {
  const [numbers, nodePorts] = [new Set<string>(), new Set<string>()]
  const each = (check: (port: Readonly<ServicePort>, here: Path) => void): void => (spec.ports ?? []).forEach((port, i) => check(port, at.child('ports').index(i)))
  each((port, here) => {
    if (spec.type === 'ClusterIP' && (port.nodePort ?? 0) !== 0) errors.push(forbiddenField(here.child('nodePort'), "may not be used when `type` is 'ClusterIP'"))
  })
  each((port, here) => {
    if ((port.nodePort ?? 0) === 0) return
    const key = `${port.protocol}/${port.nodePort}`
    if (nodePorts.has(key)) errors.push(duplicate(here.child('nodePort'), port.nodePort))
    nodePorts.add(key)
  })
  each((port, here) => {
    const key = `${port.protocol}/${port.port}`
    if (numbers.has(key)) errors.push(duplicate(here, { Name: '', Protocol: port.protocol ?? '', AppProtocol: null, Port: port.port, TargetPort: 0, NodePort: 0 }))
    numbers.add(key)
  })
}

function affinity(errors: Errors, spec: Readonly<ServiceSpec>): void {
  const config = spec.sessionAffinityConfig
  const here = at.child('sessionAffinityConfig')
  if (spec.sessionAffinity === 'None' && config !== undefined) errors.push(forbiddenField(here, 'must not be set when session affinity is None'))
  if (spec.sessionAffinity !== 'ClientIP') return
  const why = 'when session affinity type is ClientIP'
  const seconds = config?.clientIP?.timeoutSeconds
  if (config === undefined) errors.push(required(here, why))
  else if (config.clientIP === undefined) errors.push(required(here.child('clientIP'), why))
  else if (seconds === undefined) errors.push(required(here.child('clientIP', 'timeoutSeconds'), why))
  else if (seconds <= 0 || seconds > affinitySecondsMax) {
    errors.push(invalidValue(here.child('clientIP', 'timeoutSeconds'), seconds, `must be greater than 0 and less than ${affinitySecondsMax}`))
  }
}

function sourceRanges(errors: Errors, service: Readonly<Service>, prev: Readonly<Service> | undefined): void {
  const ranges = service.spec?.loadBalancerSourceRanges ?? []
  const balanced = service.spec?.type === 'LoadBalancer'
  const annotation = service.metadata.annotations?.[rangesAnnotation]
  if (ranges.length > 0) {
    const here = at.child('LoadBalancerSourceRanges')
    if (!balanced) errors.push(forbiddenField(here, onlyBalanced))
    const existing = (prev?.spec?.loadBalancerSourceRanges ?? []).map((range) => range.trim())
    ranges.forEach((range, i) => legacyCidr(errors, range.trim(), here.index(i), existing))
  } else if (annotation !== undefined) {
    const here = path('metadata', 'annotations').key(rangesAnnotation)
    if (!balanced) errors.push(forbiddenField(here, onlyBalanced))
    if (prev?.metadata.annotations?.[rangesAnnotation] === annotation || annotation.trim() === '') return
    for (const range of annotation.split(',')) legacyCidr(errors, range.trim(), here)
  }
}

function balancerClass(errors: Errors, spec: Readonly<ServiceSpec>): void {
  if (spec.loadBalancerClass === undefined) return
  if (spec.type === 'LoadBalancer') qualified(errors, spec.loadBalancerClass, at.child('loadBalancerClass'))
  else errors.push(forbiddenField(at.child('loadBalancerClass'), onlyBalanced))
}

function traffic(errors: Errors, spec: Readonly<ServiceSpec>): void {
  const policies = ['Cluster', 'Local']
  const external = spec.externalTrafficPolicy ?? ''
  if (externallyAccessible(spec)) needsOneOf(errors, external, policies, at.child('externalTrafficPolicy'))
  else if (external !== '') errors.push(invalidValue(at.child('externalTrafficPolicy'), external, 'may only be set for externally-accessible services'))
  const port = spec.healthCheckNodePort ?? 0
  const here = at.child('healthCheckNodePort')
  if (!needsHealthCheck(spec)) {
    if (port !== 0) errors.push(invalidValue(here, port, "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"))
  } else if (port !== 0) {
    // Its absence is upstream's matter of allocation, which comes after these rules here.
    say(errors, here, port, portNumber(port))
  }
  const internal = spec.internalTrafficPolicy
  if (internal === undefined) {
    if (spec.type === 'NodePort' || spec.type === 'LoadBalancer' || spec.type === 'ClusterIP') errors.push(required(at.child('internalTrafficPolicy')))
  } else if (!policies.includes(internal)) {
    errors.push(notSupported(at.child('internalTrafficPolicy'), internal, policies))
  }
  const distributions = ['PreferClose', 'PreferSameZone', 'PreferSameNode']
  if (spec.trafficDistribution !== undefined && !distributions.includes(spec.trafficDistribution)) {
    errors.push(notSupported(at.child('trafficDistribution'), spec.trafficDistribution, distributions))
  }
}

function validateChange(next: Readonly<Service>, prev: Readonly<Service>): Errors {
  const errors: Errors = []
  const [spec, old] = [next.spec ?? {}, prev.spec ?? {}]
  validateAddressChange(errors, spec, old)
  if (spec.type === 'LoadBalancer' && old.type === 'LoadBalancer' && spec.loadBalancerClass !== old.loadBalancerClass) {
    errors.push(invalidValue(at.child('loadBalancerClass'), spec.loadBalancerClass ?? null, 'may not change once set'))
  }
  balancerClass(errors, spec)
  if (needsHealthCheck(spec) && needsHealthCheck(old) && spec.healthCheckNodePort !== old.healthCheckNodePort) {
    errors.push(forbiddenField(at.child('healthCheckNodePort'), 'field is immutable'))
  }
  return [...errors, ...validate(next, prev)]
}

function warnings(service: Readonly<Service>): string[] {
  const spec = service.spec ?? {}
  const headless = spec.type === 'ClusterIP' && spec.clusterIP === 'None'
  const external = spec.externalIPs ?? []
  const when = (is: boolean, text: string): string[] => (is ? [text] : [])
  const named = spec.type === 'ExternalName'
  return [
    ...when(service.metadata.annotations?.[hintsAnnotation] !== undefined, `annotation ${hintsAnnotation} is deprecated, please use ${modeAnnotation} instead`),
    ...((spec.clusterIP ?? '') !== '' && spec.clusterIP !== 'None' ? (spec.clusterIPs ?? []).flatMap((ip, i) => ipWarnings(at.child('clusterIPs').index(i), ip)) : []),
    ...when(headless && (spec.loadBalancerIP ?? '') !== '', 'spec.loadBalancerIP is ignored for headless services'),
    ...when(headless && external.length > 0, 'spec.externalIPs is ignored for headless services'),
    ...when(headless && spec.sessionAffinity !== 'None', 'spec.SessionAffinity is ignored for headless services'),
    ...external.flatMap((ip, i) => ipWarnings(at.child('externalIPs').index(i), ip)),
    ...when(external.length > 0 && !headless && !named, 'spec.externalIPs is deprecated and may no longer be implemented in some clusters'),
    ...((spec.loadBalancerIP ?? '') === '' ? [] : ipWarnings(at.child('loadBalancerIP'), spec.loadBalancerIP ?? '')),
    ...(spec.loadBalancerSourceRanges ?? []).flatMap((range, i) => cidrWarnings(at.child('loadBalancerSourceRanges').index(i), range)),
    ...when(named && external.length > 0, 'spec.externalIPs is ignored when spec.type is "ExternalName"'),
    ...when(!named && (spec.externalName ?? '') !== '', 'spec.externalName is ignored when spec.type is not "ExternalName"'),
    ...when(spec.trafficDistribution === 'PreferClose', 'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'),
  ]
}

export const serviceStrategy: Strategy<Service> = {
  prepareCreate: prepareServiceCreate,
  prepareUpdate(next, prev) {
    prepareServiceUpdate(next, prev)
    if (next.spec?.type !== 'LoadBalancer' && next.status !== undefined) next.status = { ...next.status, loadBalancer: {} }
  },
  validateCreate: (service) => addressesOnly(service) ?? validate(service),
  validateUpdate: (next, prev) => addressesOnly(next, prev) ?? validateChange(next, prev),
  warnings,
}

/** Upstream allocates before it validates: what is wrong with addresses is told alone. */
function addressesOnly(service: Readonly<Service>, prev?: Readonly<Service>): Errors | undefined {
  const errors: Errors = []
  validateAddresses(errors, service.spec ?? {}, prev?.spec)
  return errors.length === 0 ? undefined : errors
}

/** Shared with Ingresses, whose status has no modes. */
export function ingressPoint(errors: Errors, point: { readonly ip?: string; readonly hostname?: string }, at: Path, existing: readonly string[]): void {
  const [ip, name] = [point.ip ?? '', point.hostname ?? '']
  if (ip !== '') legacyIp(errors, ip, at.child('ip'), existing)
  if (name === '') return
  say(errors, at.child('hostname'), name, dns1123Subdomain(name))
  if (looseIp(name) !== undefined) errors.push(invalidValue(at.child('hostname'), name, 'must be a DNS name, not an IP address'))
}

function balancer(errors: Errors, next: Readonly<LoadBalancerStatus>, prev: Readonly<LoadBalancerStatus>, type: string | undefined): void {
  const here = path('status', 'loadBalancer', 'ingress')
  const points = next.ingress ?? []
  if (type !== 'LoadBalancer' && points.length > 0) {
    errors.push(forbiddenField(here, "may only be used when `spec.type` is 'LoadBalancer'"))
    return
  }
  const existing = (prev.ingress ?? []).map((point) => point.ip ?? '').filter((ip) => ip !== '')
  points.forEach((point, i) => {
    const [ip, mode] = [point.ip ?? '', point.ipMode]
    const place = here.index(i).child('ipMode')
    if (mode === undefined && ip !== '') errors.push(required(place, 'must be specified when `ip` is set'))
    else if (mode !== undefined && ip === '') errors.push(forbiddenField(place, 'may not be specified when `ip` is not set'))
    else if (mode !== undefined && mode !== 'VIP' && mode !== 'Proxy') errors.push(notSupported(place, mode, ['Proxy', 'VIP']))
    ingressPoint(errors, point, here.index(i), existing)
  })
}

export const serviceStatus: StatusRules<Service> = {
  validateUpdate(next, prev) {
    const errors: Errors = []
    balancer(errors, next.status?.loadBalancer ?? {}, prev.status?.loadBalancer ?? {}, next.spec?.type)
    return errors
  },
  warnings: (next) => (next.status?.loadBalancer?.ingress ?? []).flatMap((point, i) => ((point.ip ?? '') === '' ? [] : ipWarnings(path('status', 'loadBalancer', 'ingress').index(i), point.ip ?? ''))),
}
