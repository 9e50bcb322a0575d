/** What Windows pods may say, and what only they may (k8s.io/kubernetes/pkg/apis/core/validation/validation.go). No Windows node runs here, but the API is one. */
import { say, type Errors } from '../../checks.ts'
import { forbiddenField, invalidValue, notSupported, required, type Path } from '../../field.ts'
import { dns1123Subdomain } from '../../names.ts'
import type * as k from '../../schema/types.ts'

type Placed = readonly (readonly [Readonly<k.Container>, Path])[]

const credentialSpecMaxKiB = 64
const dnsLabel = '[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?'
const domainForms = [/^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/, new RegExp(`^${dnsLabel}(?:\\.${dnsLabel})*$`)]

export function windowsOptions(errors: Errors, of: Readonly<k.WindowsSecurityContextOptions> | undefined, at: Path): void {
  if (of === undefined) return
  if (of.gmsaCredentialSpecName !== undefined) say(errors, at.child('gmsaCredentialSpecName'), of.gmsaCredentialSpecName, dns1123Subdomain(of.gmsaCredentialSpecName))
  const spec = of.gmsaCredentialSpec
  if (spec === '') errors.push(invalidValue(at.child('gmsaCredentialSpec'), spec, 'gmsaCredentialSpec cannot be an empty string'))
  else if (spec !== undefined && spec.length > credentialSpecMaxKiB * 1_024) {
    errors.push(invalidValue(at.child('gmsaCredentialSpec'), spec, `gmsaCredentialSpec size must be under ${credentialSpecMaxKiB} KiB`))
  }
  if (of.runAsUserName !== undefined) say(errors, at.child('runAsUserName'), of.runAsUserName, wrongUserName(of.runAsUserName).map((rest) => `runAsUserName${rest}`))
}

function wrongUserName(name: string): string[] {
  const parts = name.split('\\')
  if (name === '') return [' cannot be an empty string']
  // oxlint-disable-next-line no-control-regex -- control characters are what is refused
  if (/[\x00-\x1f\x7f]/.test(name)) return [' cannot contain control characters']
  if (parts.length > 2) return [' cannot contain more than one backslash']
  const user = parts.at(-1) ?? ''
  const domain = parts.length === 2 ? (parts[0] ?? '') : undefined
  const wrong: string[] = []
  if ((domain ?? '').length >= 256) wrong.push("'s Domain length must be under 256 characters")
  if (domain !== undefined && !domainForms.some((form) => form.test(domain))) wrong.push("'s Domain doesn't match the NetBios nor the DNS format")
  if (user === '') wrong.push("'s User cannot be empty")
  else if (user.length > 104) wrong.push("'s User length must not be longer than 104 characters")
  if (/^[. ]+$/.test(user)) wrong.push("'s User cannot contain only periods or spaces")
  if (/["/\\:;|=,+*?<>@[\]]/.test(user)) wrong.push('\'s User cannot contain the following characters: "/\\:;|=,+*?<>@[]')
  return wrong
}

export function validateHostProcess(errors: Errors, spec: Readonly<k.PodSpec>, at: Path, containers: Placed): void {
  const ofPod = spec.securityContext?.windowsOptions?.hostProcess
  let count = 0
  for (const [container, here] of containers) {
    const own = container.securityContext?.windowsOptions?.hostProcess
    if (ofPod !== undefined && own !== undefined && ofPod !== own) {
      errors.push(invalidValue(here.child('securityContext', 'windowsOptions', 'hostProcess'), own, `pod hostProcess value must be identical if both are specified, was ${String(ofPod)}`))
    }
    if (own ?? ofPod ?? false) count++
  }
  if (count === 0) return
  if (count !== containers.length) errors.push(invalidValue(at, '', 'If pod contains any hostProcess containers then all containers must be HostProcess containers'))
  if (spec.hostNetwork !== true) errors.push(invalidValue(at.child('hostNetwork'), false, 'hostNetwork must be true if pod contains any hostProcess containers'))
}

/** In upstream's order; some belong to the security context there and to the spec here. */
const podFields: readonly (readonly [keyof k.PodSecurityContext | keyof k.PodSpec, 'context' | 'spec'])[] = [
  ['appArmorProfile', 'context'], ['seLinuxOptions', 'context'], ['hostUsers', 'spec'], ['hostPID', 'spec'], ['hostIPC', 'spec'], ['seccompProfile', 'context'],
  ['fsGroup', 'context'], ['fsGroupChangePolicy', 'context'], ['sysctls', 'context'], ['shareProcessNamespace', 'spec'], ['runAsUser', 'context'], ['runAsGroup', 'context'],
  ['supplementalGroups', 'context'], ['supplementalGroupsPolicy', 'context'], ['seLinuxChangePolicy', 'context'],
]
const containerFields = [
  'appArmorProfile', 'seLinuxOptions', 'seccompProfile', 'capabilities', 'readOnlyRootFilesystem', 'privileged', 'allowPrivilegeEscalation', 'procMount', 'runAsUser', 'runAsGroup',
] as const

export function validateOs(errors: Errors, spec: Readonly<k.PodSpec>, at: Path, containers: Placed): void {
  const os = spec.os
  if (os === undefined) return
  if (os.name === '') {
    errors.push(required(at.child('os', 'name')))
  } else if (os.name === 'linux') {
    const no = 'windows options cannot be set for a linux pod'
    if (spec.securityContext?.windowsOptions !== undefined) errors.push(forbiddenField(at.child('securityContext', 'windowsOptions'), no))
    for (const [container, here] of containers) {
      if (container.securityContext?.windowsOptions !== undefined) errors.push(forbiddenField(here.child('securityContext', 'windowsOptions'), no))
    }
  } else if (os.name === 'windows') {
    noLinux(errors, spec, at, containers)
  } else {
    errors.push(notSupported(at.child('os'), os.name, ['linux', 'windows']))
  }
}

function noLinux(errors: Errors, spec: Readonly<k.PodSpec>, at: Path, containers: Placed): void {
  const no = 'cannot be set for a windows pod'
  for (const [field, where] of podFields) {
    const owner = (where === 'spec' ? spec : spec.securityContext) as Readonly<Record<string, unknown>> | undefined
    const value = owner?.[field]
    if (value === undefined || ((field === 'hostPID' || field === 'hostIPC') && value === false)) continue
    errors.push(forbiddenField(where === 'spec' ? at.child(field) : at.child('securityContext', field), no))
  }
  for (const [container, here] of containers) {
    for (const field of containerFields) {
      if (container.securityContext?.[field] !== undefined) errors.push(forbiddenField(here.child('securityContext', field), no))
    }
  }
}
