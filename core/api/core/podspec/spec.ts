/**
 * The rules of pod specs and of pod templates, put together from the files beside this one; start reading here
 * (k8s.io/kubernetes/pkg/apis/core/validation/validation.go, ValidatePodSpec and ValidatePodTemplateSpec).
 */
import { needsOneOf, say, subdomain, legacyIp, qualified, type Errors } from '../../checks.ts'
import { duplicate, forbiddenField, invalidValue, notFoundField, notSupported, required, tooLong, type Path } from '../../field.ts'
import { validateAnnotations, validateLabels } from '../../metavalidation.ts'
import { dns1123Label, dns1123Subdomain, dnsSearchName, range } from '../../names.ts'
import type * as k from '../../schema/types.ts'
import { validateAffinity, validateHostName, validateSpreading, validateTolerations } from './affinity.ts'
import { mirrorAnnotation, validateAgreement, validatePodAnnotations } from './annotations.ts'
import { validateContainers, validateEphemeralContainers, validateInitContainers } from './containers.ts'
import { validatePodResources, validateResources } from './resources.ts'
import { validateHostUsers, validatePodSecurityContext } from './security.ts'
import { validateVolumes } from './volumes.ts'
import { validateHostProcess, validateOs } from './windows.ts'

/** `pod`: the metadata of the pod itself; undefined for templates, of which less is known. */
export function validatePodSpec(errors: Errors, spec: Readonly<k.PodSpec>, pod: Readonly<k.ObjectMeta> | undefined, at: Path): void {
  if (spec.terminationGracePeriodSeconds === undefined) errors.push(required(at.child('terminationGracePeriodSeconds')))
  const isPod = pod !== undefined
  const volumes = validateVolumes(errors, spec.volumes ?? [], at.child('volumes'), { pod: pod?.name ?? '', isPod })
  const claims = new Set((spec.resourceClaims ?? []).map((claim) => claim.name).filter((name) => name !== ''))
  resourceClaims(errors, spec.resourceClaims ?? [], pod, at.child('resourceClaims'))
  const around = { spec, volumes, claims }
  validateContainers(errors, around, at.child('containers'))
  validateInitContainers(errors, around, at.child('initContainers'))
  validateEphemeralContainers(errors, around, at.child('ephemeralContainers'))
  validatePodResources(errors, spec, claims, at)
  hostNetworkPorts(errors, spec, isPod, at.child('containers'))
  needsOneOf(errors, spec.restartPolicy, ['Always', 'OnFailure', 'Never'], at.child('restartPolicy'))
  needsOneOf(errors, spec.dnsPolicy, ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'], at.child('dnsPolicy'))
  if (spec.nodeSelector !== undefined) errors.push(...validateLabels(spec.nodeSelector, at.child('nodeSelector')))
  validatePodSecurityContext(errors, spec, at.child('securityContext'))
  validateAffinity(errors, spec.affinity, at.child('affinity'))
  dns(errors, spec, at.child('dnsConfig'))
  spec.readinessGates?.forEach((gate, i) => qualified(errors, gate.conditionType, at.child('readinessGates').index(i).child('conditionType')))
  schedulingGates(errors, spec.schedulingGates ?? [], at.child('schedulingGates'))
  validateSpreading(errors, spec.topologySpreadConstraints ?? [], at.child('topologySpreadConstraints'))
  const containers = placed(spec, at)
  validateHostProcess(errors, spec, at, containers)
  validateHostUsers(errors, spec, at, containers)
  hostnameOverride(errors, spec, at.child('hostnameOverride'))
  names(errors, spec, at)
  validateOs(errors, spec, at, containers)
  fileVolumes(errors, spec, containers)
}

/** Every container with its place, init containers first. */
export function placed(spec: Readonly<k.PodSpec>, at: Path): readonly (readonly [Readonly<k.Container>, Path])[] {
  return (['initContainers', 'containers', 'ephemeralContainers'] as const).flatMap((field) =>
    (spec[field] ?? []).map((container, i) => [container as Readonly<k.Container>, at.child(field).index(i)] as const),
  )
}

function names(errors: Errors, spec: Readonly<k.PodSpec>, at: Path): void {
  for (const field of ['serviceAccountName', 'nodeName'] as const) {
    const name = spec[field] ?? ''
    if (name !== '') subdomain(errors, name, at.child(field))
  }
  const deadline = spec.activeDeadlineSeconds
  if (deadline !== undefined && (deadline < 1 || deadline > 2_147_483_647)) errors.push(invalidValue(at.child('activeDeadlineSeconds'), deadline, range(1, 2_147_483_647)))
  validateHostName(errors, spec.hostname, at.child('hostname'))
  validateHostName(errors, spec.subdomain, at.child('subdomain'))
  validateTolerations(errors, spec.tolerations ?? [], at.child('tolerations'))
  spec.hostAliases?.forEach((alias, i) => {
    const here = at.child('hostAliases').index(i)
    legacyIp(errors, alias.ip, here.child('ip'))
    alias.hostnames?.forEach((name, j) => subdomain(errors, name, here.child('hostnames').index(j)))
  })
  if ((spec.priorityClassName ?? '') !== '') subdomain(errors, spec.priorityClassName ?? '', at.child('priorityClassName'))
  if (spec.runtimeClassName !== undefined) subdomain(errors, spec.runtimeClassName, at.child('runtimeClassName'))
  if (spec.preemptionPolicy !== undefined) needsOneOf(errors, spec.preemptionPolicy, ['PreemptLowerPriority', 'Never'], at.child('preemptionPolicy'))
  if (spec.overhead !== undefined) validateResources(errors, { limits: spec.overhead }, at.child('overhead'))
}

function resourceClaims(errors: Errors, claims: readonly Readonly<k.PodResourceClaim>[], pod: Readonly<k.ObjectMeta> | undefined, at: Path): void {
  const seen = new Set<string>()
  claims.forEach((claim, i) => {
    const here = at.index(i)
    if (pod?.annotations?.[mirrorAnnotation] !== undefined) {
      errors.push(forbiddenField(here, 'static pods do not support resource claims'))
      return
    }
    if (claim.name === '') errors.push(required(here.child('name')))
    else if (seen.has(claim.name)) errors.push(duplicate(here.child('name'), claim.name))
    else say(errors, here.child('name'), claim.name, dns1123Label(claim.name))
    seen.add(claim.name)
    const [claimName, template] = [claim.resourceClaimName, claim.resourceClaimTemplateName]
    const shown = { Name: claim.name, ResourceClaimName: claimName ?? null, ResourceClaimTemplateName: template ?? null }
    if (claimName !== undefined && template !== undefined) {
      errors.push(invalidValue(here, shown, 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified'))
    }
    if (claimName === undefined && template === undefined) {
      errors.push(invalidValue(here, shown, 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`'))
    }
    if (claimName !== undefined) say(errors, here.child('resourceClaimName'), claimName, dns1123Subdomain(claimName))
    if (template !== undefined) say(errors, here.child('resourceClaimTemplateName'), template, dns1123Subdomain(template))
  })
}

function hostNetworkPorts(errors: Errors, spec: Readonly<k.PodSpec>, isPod: boolean, at: Path): void {
  if (spec.hostNetwork !== true) return
  spec.containers?.forEach((container, i) => container.ports?.forEach(({ hostPort = 0, containerPort }, j) => {
    if ((isPod || hostPort !== 0) && hostPort !== containerPort) {
      errors.push(invalidValue(at.index(i).child('ports').index(j).child('hostPort'), hostPort, 'must match `containerPort` when `hostNetwork` is true'))
    }
  }))
}

const nameserversMax = 3
const searchPathsMax = 32
const searchCharactersMax = 2_048

function dns(errors: Errors, spec: Readonly<k.PodSpec>, at: Path): void {
  const config = spec.dnsConfig
  const { nameservers = [], searches = [], options = [] } = config ?? {}
  if (spec.dnsPolicy === 'None') {
    if (config === undefined) errors.push(required(at, 'must provide `dnsConfig` when `dnsPolicy` is None'))
    else if (nameservers.length === 0) errors.push(required(at.child('nameservers'), 'must provide at least one DNS nameserver when `dnsPolicy` is None'))
    if (nameservers.length === 0) return
  }
  if (nameservers.length > nameserversMax) errors.push(invalidValue(at.child('nameservers'), nameservers, `must not have more than ${nameserversMax} nameservers`))
  nameservers.forEach((address, i) => legacyIp(errors, address, at.child('nameservers').index(i)))
  if (searches.length > searchPathsMax) errors.push(invalidValue(at.child('searches'), searches, `must not have more than ${searchPathsMax} search paths`))
  if (searches.join(' ').length > searchCharactersMax) {
    errors.push(invalidValue(at.child('searches'), searches, `must not have more than ${searchCharactersMax} characters (including spaces) in the search list`))
  }
  searches.forEach((search, i) => {
    const name = search.replace(/\.$/, '')
    if (search !== '.') say(errors, at.child('searches').index(i), name, dnsSearchName(name))
  })
  options.forEach((option, i) => {
    if ((option.name ?? '') === '') errors.push(required(at.child('options').index(i), 'must not be empty'))
  })
}

function schedulingGates(errors: Errors, gates: readonly Readonly<k.PodSchedulingGate>[], at: Path): void {
  const seen = new Set<string>()
  gates.forEach(({ name }, i) => {
    qualified(errors, name, at.index(i))
    if (seen.has(name)) errors.push(duplicate(at.index(i), name))
    seen.add(name)
  })
}

function hostnameOverride(errors: Errors, spec: Readonly<k.PodSpec>, at: Path): void {
  const name = spec.hostnameOverride
  if (name === undefined) return
  if (spec.setHostnameAsFQDN === true) errors.push(forbiddenField(at, 'may not be specified when setHostnameAsFQDN is true'))
  if (spec.hostNetwork === true) errors.push(forbiddenField(at, 'may not be specified when hostNetwork is true'))
  if (name.length > 64) errors.push(tooLong(at, 64))
  subdomain(errors, name, at)
}

/** Environment from files comes out of an emptyDir. */
function fileVolumes(errors: Errors, spec: Readonly<k.PodSpec>, containers: readonly (readonly [Readonly<k.Container>, Path])[]): void {
  const volumes = new Map((spec.volumes ?? []).map((volume) => [volume.name, volume]))
  for (const [container, at] of containers) {
    container.env?.forEach((entry, i) => {
      const name = entry.valueFrom?.fileKeyRef?.volumeName
      if (name === undefined) return
      const here = at.child('env').index(i).child('valueFrom', 'fileKeyRef', 'volumeName')
      if (!volumes.has(name)) errors.push(notFoundField(here, name))
      else if (volumes.get(name)?.emptyDir === undefined) errors.push(invalidValue(here, name, 'referenced volume must be of type emptyDir'))
    })
  }
}

const emptySpec: k.PodSpec = { containers: [] }

export function validatePodTemplate(errors: Errors, template: Readonly<k.PodTemplateSpec>, at: Path): void {
  const { labels, annotations } = template.metadata ?? {}
  const spec = template.spec ?? emptySpec
  if (labels !== undefined) errors.push(...validateLabels(labels, at.child('labels')))
  if (annotations !== undefined) errors.push(...validateAnnotations(annotations, at.child('annotations')))
  validatePodAnnotations(errors, annotations ?? {}, spec, at.child('annotations'))
  const here = at.child('spec')
  validatePodSpec(errors, spec, undefined, here)
  validateAgreement(errors, annotations ?? {}, spec, here, placed(spec, here))
  if ((spec.ephemeralContainers ?? []).length > 0) errors.push(forbiddenField(here.child('ephemeralContainers'), 'ephemeral containers not allowed in pod template'))
}

/** Templates of what always runs: no other restart policy, no deadline. `kind` is for the sentence. */
export function validateLastingTemplate(errors: Errors, template: Readonly<k.PodTemplateSpec>, at: Path, kind: string): void {
  const policy = template.spec?.restartPolicy ?? ''
  if (policy !== 'Always') errors.push(notSupported(at.child('spec', 'restartPolicy'), policy, ['Always']))
  if (template.spec?.activeDeadlineSeconds !== undefined) {
    errors.push(forbiddenField(at.child('spec', 'activeDeadlineSeconds'), `activeDeadlineSeconds in ${kind} is not Supported`))
  }
}
