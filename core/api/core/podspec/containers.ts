/**
 * Containers of a pod: ordinary, init and ephemeral ones. Their parts are env.ts, mounts.ts, probes.ts, resources.ts,
 * security.ts (k8s.io/kubernetes/pkg/apis/core/validation/validation.go).
 */
import { label, needsOneOf, say, type Errors } from '../../checks.ts'
import { duplicate, forbiddenField, invalidValue, notFoundField, notSupported, required, tooMany, type Path } from '../../field.ts'
import { portName, portNumber } from '../../names.ts'
import type * as k from '../../schema/types.ts'
import { validateEnv, validateEnvFrom } from './env.ts'
import { validateDevices, validateMounts } from './mounts.ts'
import { validateLifecycle, validateProbes } from './probes.ts'
import { validateResources } from './resources.ts'
import { validateSecurityContext } from './security.ts'
import { pullPolicy, type VolumesByName } from './volumes.ts'

/** What containers are checked against. */
export interface PodAround {
  readonly spec: Readonly<k.PodSpec>
  readonly volumes: VolumesByName
  readonly claims: ReadonlySet<string>
}

export function validateContainers(errors: Errors, around: PodAround, at: Path): void {
  const { terminationGracePeriodSeconds: graceS } = around.spec
  const containers = (around.spec.containers as readonly k.Container[] | undefined) ?? []
  if (containers.length === 0) {
    errors.push(required(at))
    return
  }
  const names = new Set<string>()
  containers.forEach((container, i) => {
    const here = at.index(i)
    anyContainer(errors, container, around, here)
    if (names.has(container.name)) errors.push(duplicate(here.child('name'), container.name))
    names.add(container.name)
    validateLifecycle(errors, container.lifecycle, graceS, here.child('lifecycle'))
    validateProbes(errors, container, here)
    restartRules(errors, container, here)
  })
  hostPorts(errors, containers, at)
}

export function validateInitContainers(errors: Errors, around: PodAround, at: Path): void {
  const names = new Set((around.spec.containers ?? []).map((container) => container.name))
  around.spec.initContainers?.forEach((container, i) => {
    const here = at.index(i)
    anyContainer(errors, container, around, here)
    const sidecar = container.restartPolicy === 'Always'
    if (container.restartPolicy === undefined) {
      if ((container.restartPolicyRules ?? []).length > 0) errors.push(required(here.child('restartPolicy'), 'must specify restartPolicy when restart rules are used'))
    } else {
      restartRules(errors, container, here)
    }
    if (names.has(container.name)) errors.push(duplicate(here.child('name'), container.name))
    else if (container.name !== '') names.add(container.name)
    hostPorts(errors, [container], at)
    if (sidecar) {
      validateLifecycle(errors, container.lifecycle, around.spec.terminationGracePeriodSeconds, here.child('lifecycle'))
      validateProbes(errors, container, here)
    } else {
      notForInit(errors, container, here)
    }
  })
}

function notForInit(errors: Errors, container: Readonly<k.Container>, at: Path): void {
  for (const field of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
    if (container[field] !== undefined) errors.push(forbiddenField(at.child(field), 'may not be set for init containers without restartPolicy=Always'))
  }
  container.resizePolicy?.forEach((policy, i) => {
    if (policy.restartPolicy === 'RestartContainer') {
      errors.push(invalidValue(at.child('resizePolicy').index(i).child('restartPolicy'), policy.restartPolicy, "must not be set to 'RestartContainer' for non-sidecar initContainers"))
    }
  })
}

const notEphemeral = ['ports', 'resources', 'livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle', 'resizePolicy', 'restartPolicy', 'restartPolicyRules'] as const

export function validateEphemeralContainers(errors: Errors, around: PodAround, at: Path): void {
  const others = new Set([...(around.spec.containers ?? []), ...(around.spec.initContainers ?? [])].map((container) => container.name))
  const names = new Set(others)
  around.spec.ephemeralContainers?.forEach((container, i) => {
    const here = at.index(i)
    anyContainer(errors, container, around, here)
    noPadding(errors, container, here)
    if (names.has(container.name)) errors.push(duplicate(here.child('name'), container.name))
    names.add(container.name)
    const target = container.targetContainerName ?? ''
    if (target !== '' && !others.has(target)) errors.push(notFoundField(here.child('targetContainerName'), target))
    const no = 'cannot be set for an Ephemeral Container'
    for (const field of notEphemeral) if (isSet(container[field])) errors.push(forbiddenField(here.child(field), no))
    container.volumeMounts?.forEach((mount, j) => {
      for (const field of ['subPath', 'subPathExpr'] as const) {
        if ((mount[field] ?? '') !== '') errors.push(forbiddenField(here.child('volumeMounts').index(j).child(field), no))
      }
    })
  })
}

/** Go's decoder writes an empty object for resources that nobody set. */
function isSet(value: unknown): boolean {
  return value !== undefined && (typeof value !== 'object' || value === null || Object.keys(value).length > 0)
}

/** Only pods insist on it; templates are let through, as they once were. */
export function noPadding(errors: Errors, container: { readonly image?: string }, at: Path): void {
  const image = container.image ?? ''
  if (image.trim() !== image) errors.push(invalidValue(at.child('image'), image, 'must not have leading or trailing whitespace'))
}

function anyContainer(errors: Errors, container: Readonly<k.Container>, around: PodAround, at: Path): void {
  if (container.name === '') errors.push(required(at.child('name')))
  else label(errors, container.name, at.child('name'))
  if ((container.image ?? '') === '') errors.push(required(at.child('image')))
  needsOneOf(errors, container.terminationMessagePolicy, ['File', 'FallbackToLogsOnError'], at.child('terminationMessagePolicy'))
  ports(errors, container.ports ?? [], at.child('ports'))
  validateEnv(errors, container.env ?? [], at.child('env'))
  validateEnvFrom(errors, container.envFrom ?? [], at.child('envFrom'))
  validateMounts(errors, container, around.volumes, at.child('volumeMounts'))
  validateDevices(errors, container, around.volumes, at.child('volumeDevices'))
  pullPolicy(errors, container.imagePullPolicy, at.child('imagePullPolicy'))
  validateResources(errors, container.resources, at.child('resources'), { claims: around.claims })
  resizePolicies(errors, container.resizePolicy ?? [], around.spec.restartPolicy, at.child('resizePolicy'))
  validateSecurityContext(errors, container.securityContext, at.child('securityContext'), around.spec.hostUsers ?? true)
}

export const protocols = ['SCTP', 'TCP', 'UDP']

function ports(errors: Errors, list: readonly Readonly<k.ContainerPort>[], at: Path): void {
  const names = new Set<string>()
  list.forEach((port, i) => {
    const here = at.index(i)
    const name = port.name ?? ''
    if (name !== '') {
      const wrong = portName(name)
      say(errors, here.child('name'), name, wrong)
      if (wrong.length === 0 && names.has(name)) errors.push(duplicate(here.child('name'), name))
      if (wrong.length === 0) names.add(name)
    }
    if (port.containerPort === 0) errors.push(required(here.child('containerPort')))
    else say(errors, here.child('containerPort'), port.containerPort, portNumber(port.containerPort))
    if ((port.hostPort ?? 0) !== 0) say(errors, here.child('hostPort'), port.hostPort, portNumber(port.hostPort ?? 0))
    needsOneOf(errors, port.protocol, protocols, here.child('protocol'))
  })
}

function hostPorts(errors: Errors, containers: readonly Readonly<k.Container>[], at: Path): void {
  const taken = new Set<string>()
  containers.forEach((container, i) => container.ports?.forEach((port, j) => {
    if ((port.hostPort ?? 0) === 0) return
    const key = `${port.protocol ?? ''}/${port.hostIP ?? ''}/${port.hostPort}`
    if (taken.has(key)) errors.push(duplicate(at.index(i).child('ports').index(j).child('hostPort'), key))
    taken.add(key)
  }))
}

function resizePolicies(errors: Errors, policies: readonly Readonly<k.ContainerResizePolicy>[], restart: string | undefined, at: Path): void {
  const seen = new Set<string>()
  policies.forEach((policy, i) => {
    if (seen.has(policy.resourceName)) errors.push(duplicate(at.index(i), policy.resourceName))
    seen.add(policy.resourceName)
    needsOneOf(errors, policy.resourceName, ['cpu', 'memory'], at)
    needsOneOf(errors, policy.restartPolicy, ['NotRequired', 'RestartContainer'], at)
    if (restart === 'Never' && policy.restartPolicy !== 'NotRequired') {
      errors.push(invalidValue(at, policy.restartPolicy, "must be 'NotRequired' when pod `restartPolicy` is 'Never'"))
    }
  })
}

const rulesMax = 20
const exitCodesMax = 255

function restartRules(errors: Errors, container: Readonly<k.Container>, at: Path): void {
  const { restartPolicy: policy, restartPolicyRules: rules = [] } = container
  const policies = ['Always', 'Never', 'OnFailure']
  if (policy === undefined) {
    if (rules.length === 0) return
    errors.push(required(at.child('restartPolicy'), 'must specify restartPolicy when restart rules are used'))
  } else if (!policies.includes(policy)) {
    errors.push(notSupported(at.child('restartPolicy'), policy, policies))
  }
  if (rules.length > rulesMax) errors.push(tooMany(at.child('restartPolicyRules'), rules.length, rulesMax))
  rules.forEach((rule, i) => {
    const here = at.child('restartPolicyRules').index(i)
    const codes = rule.exitCodes
    if (rule.action !== 'Restart' && rule.action !== 'RestartAllContainers') errors.push(notSupported(here.child('action'), rule.action, ['Restart', 'RestartAllContainers']))
    if (codes === undefined) {
      errors.push(required(here.child('exitCodes'), 'must be specified'))
      return
    }
    if (codes.operator !== 'In' && codes.operator !== 'NotIn') errors.push(notSupported(here.child('exitCodes', 'operator'), codes.operator, ['In', 'NotIn']))
    if ((codes.values ?? []).length > exitCodesMax) errors.push(tooMany(here.child('exitCodes', 'values'), (codes.values ?? []).length, exitCodesMax))
  })
}
