/**
 * Security contexts of pods and containers, and the annotations that once said the same
 * (k8s.io/kubernetes/pkg/apis/core/validation/validation.go). What Windows wants is windows.ts.
 */
import { say, type Errors } from '../../checks.ts'
import { duplicate, forbiddenField, invalidValue, notSupported, required, tooLong, type Path } from '../../field.ts'
import { userNumber } from '../../names.ts'
import type * as k from '../../schema/types.ts'
import { relativePath } from './paths.ts'
import { windowsOptions } from './windows.ts'

const profileTypes = ['Localhost', 'RuntimeDefault', 'Unconfined']

function seccomp(errors: Errors, profile: Readonly<k.SeccompProfile> | undefined, at: Path): void {
  if (profile === undefined) return
  if (profile.type === '') errors.push(required(at.child('type'), 'type is required when seccompProfile is set'))
  else if (!profileTypes.includes(profile.type)) errors.push(notSupported(at.child('type'), profile.type, profileTypes))
  const path = profile.localhostProfile
  if (profile.type !== 'Localhost') {
    if (path !== undefined) errors.push(invalidValue(at.child('localhostProfile'), { Type: profile.type, LocalhostProfile: path }, 'can only be set when seccomp type is Localhost'))
  } else if (path === undefined) {
    errors.push(required(at.child('localhostProfile'), 'must be set when seccomp type is Localhost'))
  } else {
    relativePath(errors, path, at.child('localhostProfile'))
  }
}

const localhostProfileMax = 4_095

export function appArmor(errors: Errors, profile: Readonly<k.AppArmorProfile> | undefined, at: Path): void {
  if (profile === undefined) return
  const path = profile.localhostProfile
  const here = at.child('localhostProfile')
  const needed = required(here, 'must be set when AppArmor type is Localhost')
  if (profile.type === 'Localhost') {
    if (path === undefined || path === '') errors.push(needed)
    else if (path.trim() !== path) errors.push(invalidValue(here, path, 'must not be padded with whitespace'))
    if ((path ?? '').length > localhostProfileMax) errors.push(tooLong(here, localhostProfileMax))
  } else if (profile.type === 'RuntimeDefault' || profile.type === 'Unconfined') {
    if (path !== undefined) errors.push(invalidValue(here, path, 'can only be set when AppArmor type is Localhost'))
  } else if (profile.type === '') {
    errors.push(required(at.child('type'), 'type is required when appArmorProfile is set'))
  } else {
    errors.push(notSupported(at.child('type'), profile.type, profileTypes))
  }
}

export function validateSecurityContext(errors: Errors, context: Readonly<k.SecurityContext> | undefined, at: Path, hostUsers: boolean): void {
  if (context === undefined) return
  for (const field of ['runAsUser', 'runAsGroup'] as const) {
    const id = context[field]
    if (id !== undefined) say(errors, at.child(field), id, userNumber(id))
  }
  const mount = context.procMount
  if (mount !== undefined) {
    if (mount !== 'Default' && mount !== 'Unmasked') errors.push(notSupported(at.child('procMount'), mount, ['Default', 'Unmasked']))
    if (hostUsers && mount === 'Unmasked') errors.push(invalidValue(at.child('procMount'), mount, '`hostUsers` must be false to use `Unmasked`'))
  }
  seccomp(errors, context.seccompProfile, at.child('seccompProfile'))
  if (context.allowPrivilegeEscalation === false) {
    const no = 'cannot set `allowPrivilegeEscalation` to false and'
    if (context.privileged === true) errors.push(invalidValue(at, shown(context), `${no} \`privileged\` to true`))
    for (const capability of context.capabilities?.add ?? []) {
      if (capability === 'CAP_SYS_ADMIN') errors.push(invalidValue(at, shown(context), `${no} \`capabilities.Add\` CAP_SYS_ADMIN`))
    }
  }
  windowsOptions(errors, context.windowsOptions, at.child('windowsOptions'))
  appArmor(errors, context.appArmorProfile, at.child('appArmorProfile'))
}

/** As Go shows it: every field, under its name there. */
function shown(context: Readonly<k.SecurityContext>): object {
  const { capabilities: caps } = context
  return {
    Capabilities: caps === undefined ? null : { Add: caps.add ?? null, Drop: caps.drop ?? null },
    Privileged: context.privileged ?? null, SELinuxOptions: context.seLinuxOptions ?? null, WindowsOptions: context.windowsOptions ?? null,
    RunAsUser: context.runAsUser ?? null, RunAsGroup: context.runAsGroup ?? null, RunAsNonRoot: context.runAsNonRoot ?? null,
    ReadOnlyRootFilesystem: context.readOnlyRootFilesystem ?? null, AllowPrivilegeEscalation: context.allowPrivilegeEscalation ?? null,
    ProcMount: context.procMount ?? null, SeccompProfile: shownProfile(context.seccompProfile), AppArmorProfile: shownProfile(context.appArmorProfile),
  }
}

function shownProfile(profile: Readonly<k.SeccompProfile> | undefined): object | null {
  return profile === undefined ? null : { Type: profile.type, LocalhostProfile: profile.localhostProfile ?? null }
}

export function validatePodSecurityContext(errors: Errors, spec: Readonly<k.PodSpec>, at: Path): void {
  const context = spec.securityContext ?? {}
  for (const field of ['fsGroup', 'runAsUser', 'runAsGroup'] as const) {
    const id = context[field]
    if (id !== undefined) say(errors, at.child(field), id, userNumber(id))
  }
  context.supplementalGroups?.forEach((id, i) => say(errors, at.child('supplementalGroups').index(i), id, userNumber(id)))
  if (spec.shareProcessNamespace === true && spec.hostPID === true) {
    errors.push(invalidValue(at.child('shareProcessNamespace'), true, 'ShareProcessNamespace and HostPID cannot both be enabled'))
  }
  sysctls(errors, context.sysctls ?? [], spec, at.child('sysctls'))
  choice(errors, context.fsGroupChangePolicy, ['Always', 'OnRootMismatch'], at.child('fsGroupChangePolicy'))
  seccomp(errors, context.seccompProfile, at.child('seccompProfile'))
  windowsOptions(errors, context.windowsOptions, at.child('windowsOptions'))
  appArmor(errors, context.appArmorProfile, at.child('appArmorProfile'))
  choice(errors, context.supplementalGroupsPolicy, ['Merge', 'Strict'], at.child('supplementalGroupsPolicy'))
  // The other policy is behind a feature that is off by default.
  choice(errors, context.seLinuxChangePolicy, ['Recursive'], at.child('seLinuxChangePolicy'))
}

function choice(errors: Errors, value: string | undefined, supported: readonly string[], at: Path): void {
  if (value !== undefined && !supported.includes(value)) errors.push(notSupported(at, value, supported))
}

const segment = '[a-z0-9]([-_a-z0-9]*[a-z0-9])?'
const sysctlPattern = `^(${segment}[\\./])*${segment}$`
const ipcNames = new Set(['kernel.sem', 'kernel/sem', 'kernel.shm_rmid_forced', 'kernel/shm_rmid_forced'])
const ipcPrefixes = ['kernel.shm', 'kernel.msg', 'fs.mqueue.', 'kernel/shm', 'kernel/msg', 'fs/mqueue/']

function sysctls(errors: Errors, list: readonly Readonly<k.Sysctl>[], spec: Readonly<k.PodSpec>, at: Path): void {
  const seen = new Set<string>()
  list.forEach(({ name }, i) => {
    const here = at.index(i).child('name')
    if (name === '') errors.push(required(here))
    else if (name.length > 253 || !new RegExp(sysctlPattern).test(name)) errors.push(invalidValue(here, name, `must have at most 253 characters and match regex ${sysctlPattern}`))
    else if (seen.has(name)) errors.push(duplicate(here, name))
    const isNet = /^net[./]/.test(name)
    const isIpc = ipcNames.has(name) || ipcPrefixes.some((prefix) => name.startsWith(prefix))
    if (spec.hostNetwork === true && isNet) errors.push(invalidValue(here, name, "may not be specified when 'hostNetwork' is true"))
    else if (spec.hostIPC === true && isIpc) errors.push(invalidValue(here, name, "may not be specified when 'hostIPC' is true"))
    seen.add(name)
  })
}

export function validateHostUsers(errors: Errors, spec: Readonly<k.PodSpec>, at: Path, containers: readonly (readonly [Readonly<k.Container>, Path])[]): void {
  if (spec.hostUsers !== false) return
  const no = 'when `hostUsers` is false'
  if (spec.hostNetwork === true) errors.push(forbiddenField(at.child('hostNetwork'), no))
  if (spec.hostPID === true) errors.push(forbiddenField(at.child('HostPID'), no))
  if (spec.hostIPC === true) errors.push(forbiddenField(at.child('HostIPC'), no))
  for (const [container, here] of containers) if ((container.volumeDevices ?? []).length > 0) errors.push(forbiddenField(here.child('volumeDevices'), no))
}

