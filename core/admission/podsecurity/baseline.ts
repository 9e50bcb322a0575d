/** The checks of the baseline standard, by id. */
import type { Container, LifecycleHandler, Probe, SELinuxOptions } from '../../api/schema/types.ts'
import type { Check, Subject, Violation } from './standard.ts'
import { containersText, containersWith, hasUserNamespace, plural, quoted, settersText, sorted } from './words.ts'

const allowedCapabilities = new Set([
  'AUDIT_WRITE', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'MKNOD', 'NET_BIND_SERVICE', 'SETFCAP', 'SETGID', 'SETPCAP', 'SETUID', 'SYS_CHROOT',
])
const sysctls0 = [
  'kernel.shm_rmid_forced', 'net.ipv4.ip_local_port_range', 'net.ipv4.tcp_syncookies', 'net.ipv4.ping_group_range', 'net.ipv4.ip_unprivileged_port_start',
]
const sysctls27 = [...sysctls0, 'net.ipv4.ip_local_reserved_ports']
const sysctls29 = [...sysctls27, 'net.ipv4.tcp_keepalive_time', 'net.ipv4.tcp_fin_timeout', 'net.ipv4.tcp_keepalive_intvl', 'net.ipv4.tcp_keepalive_probes']
const sysctls32 = [...sysctls29, 'net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem']
const seLinuxTypes = ['', 'container_t', 'container_init_t', 'container_kvm_t']

export const baselineChecks: readonly Check[] = [
  { id: 'appArmorProfile', since: [[0, appArmor]] },
  { id: 'capabilities_baseline', since: [[0, capabilities]] },
  { id: 'hostNamespaces', since: [[0, hostNamespaces]] },
  { id: 'hostPathVolumes', since: [[0, hostPaths]] },
  { id: 'hostPorts', since: [[0, hostPorts]] },
  { id: 'hostProbesAndHostLifecycle', since: [[34, probeHosts]] },
  { id: 'privileged', since: [[0, privileged]] },
  { id: 'procMount', since: [[0, procMount], [35, (pod) => (hasUserNamespace(pod) ? undefined : procMount(pod))]] },
  { id: 'seLinuxOptions', since: [[0, seLinux(seLinuxTypes)], [31, seLinux([...seLinuxTypes, 'container_engine_t'])]] },
  { id: 'seccompProfile_baseline', since: [[0, seccompAnnotations], [19, seccomp]] },
  { id: 'sysctls', since: [[0, sysctls(sysctls0)], [27, sysctls(sysctls27)], [29, sysctls(sysctls29)], [32, sysctls(sysctls32)]] },
  { id: 'windowsHostProcess', since: [[0, hostProcess]] },
]

const profiles = new Set<string | undefined>(['RuntimeDefault', 'Localhost'])

function appArmor(pod: Subject): Violation | undefined {
  const podType = pod.spec.securityContext?.appArmorProfile?.type
  const isBad = (type: string | undefined): boolean => type !== undefined && !profiles.has(type)
  const typeOf = (c: Readonly<Container>): string | undefined => c.securityContext?.appArmorProfile?.type
  const bad = containersWith(pod, (c) => isBad(typeOf(c)))
  const annotations = Object.entries(pod.annotations)
    .filter(([k, v]) => k.startsWith('container.apparmor.security.beta.kubernetes.io/') && !(v === '' || v === 'runtime/default' || v.startsWith('localhost/')))
    .map(([k, v]) => `${k}=${JSON.stringify(v)}`).toSorted()
  const setters = [settersText(isBad(podType), bad), annotations.length > 0 ? plural('annotation', annotations.length) : ''].filter((s) => s !== '')
  if (setters.length === 0) return undefined
  const values = [...sorted([podType, ...pod.containers.map(typeOf)].filter((t) => isBad(t)) as string[]), ...annotations]
  return { reason: plural('forbidden AppArmor profile', values.length), detail: `${setters.join(' and ')} must not set AppArmor profile type to ${quoted(values)}` }
}

function capabilities(pod: Subject): Violation | undefined {
  const odd = (c: Readonly<Container>): readonly string[] => (c.securityContext?.capabilities?.add ?? []).filter((name) => !allowedCapabilities.has(name))
  const bad = containersWith(pod, (c) => odd(c).length > 0)
  if (bad.length === 0) return undefined
  return {
    reason: 'non-default capabilities',
    detail: `${containersText(bad)} must not include ${quoted(sorted(pod.containers.flatMap(odd)))} in securityContext.capabilities.add`,
  }
}

function hostNamespaces({ spec }: Subject): Violation | undefined {
  const used = [spec.hostNetwork === true && 'hostNetwork=true', spec.hostPID === true && 'hostPID=true', spec.hostIPC === true && 'hostIPC=true'].filter((u) => u !== false)
  return used.length === 0 ? undefined : { reason: 'host namespaces', detail: used.join(', ') }
}

function hostPaths({ spec }: Subject): Violation | undefined {
  const bad = (spec.volumes ?? []).filter((v) => v.hostPath !== undefined).map((v) => v.name)
  return bad.length === 0 ? undefined : { reason: 'hostPath volumes', detail: `${plural('volume', bad.length)} ${quoted(bad)}` }
}

function hostPorts(pod: Subject): Violation | undefined {
  const used = (c: Readonly<Container>): readonly string[] => (c.ports ?? []).filter((p) => (p.hostPort ?? 0) !== 0).map((p) => String(p.hostPort))
  const bad = containersWith(pod, (c) => used(c).length > 0)
  if (bad.length === 0) return undefined
  const ports = sorted(pod.containers.flatMap(used))
  return { reason: 'hostPort', detail: `${containersText(bad)} ${bad.length === 1 ? 'uses' : 'use'} ${plural('hostPort', ports.length)} ${ports.join(', ')}` }
}

function probeHosts(pod: Subject): Violation | undefined {
  const of = (handler: Probe | LifecycleHandler | undefined): readonly string[] =>
    [handler?.httpGet?.host, handler?.tcpSocket?.host].filter((h) => h !== undefined && h !== '') as string[]
  const hosts = (c: Readonly<Container>): readonly string[] =>
    [c.livenessProbe, c.readinessProbe, c.startupProbe, c.lifecycle?.postStart, c.lifecycle?.preStop].flatMap(of)
  const bad = sorted(containersWith(pod, (c) => hosts(c).length > 0))
  if (bad.length === 0) return undefined
  const found = sorted(pod.containers.flatMap(hosts))
  return {
    reason: 'probe or lifecycle host',
    detail: `${containersText(bad)} ${bad.length === 1 ? 'uses' : 'use'} ${plural('probe or lifecycle host', found.length)} ${quoted(found)}`,
  }
}

function privileged(pod: Subject): Violation | undefined {
  const bad = containersWith(pod, (c) => c.securityContext?.privileged === true)
  return bad.length === 0 ? undefined : { reason: 'privileged', detail: `${containersText(bad)} must not set securityContext.privileged=true` }
}

export function procMount(pod: Subject): Violation | undefined {
  const odd = (c: Readonly<Container>): boolean => (c.securityContext?.procMount ?? 'Default') !== 'Default'
  const bad = containersWith(pod, odd)
  if (bad.length === 0) return undefined
  const values = sorted(pod.containers.filter(odd).map((c) => c.securityContext?.procMount ?? ''))
  return { reason: 'procMount', detail: `${containersText(bad)} must not set securityContext.procMount to ${quoted(values)}` }
}

function seLinux(types: readonly string[]): (pod: Subject) => Violation | undefined {
  const isBad = (o: SELinuxOptions | undefined): boolean => o !== undefined && (!types.includes(o.type ?? '') || (o.user ?? '') !== '' || (o.role ?? '') !== '')
  return (pod) => {
    const own = pod.spec.securityContext?.seLinuxOptions
    const setters = settersText(isBad(own), containersWith(pod, (c) => isBad(c.securityContext?.seLinuxOptions)))
    if (setters === '') return undefined
    const all = [own, ...pod.containers.map((c) => c.securityContext?.seLinuxOptions)].filter((o) => o !== undefined)
    const badTypes = sorted(all.map((o) => o.type ?? '').filter((t) => !types.includes(t)))
    const data = [
      ...(badTypes.length > 0 ? [`${plural('type', badTypes.length)} ${quoted(badTypes)}`] : []),
      ...(all.some((o) => (o.user ?? '') !== '') ? ['user may not be set'] : []),
      ...(all.some((o) => (o.role ?? '') !== '') ? ['role may not be set'] : []),
    ]
    return { reason: 'seLinuxOptions', detail: `${setters} set forbidden securityContext.seLinuxOptions: ${data.join('; ')}` }
  }
}

function seccompAnnotations(pod: Subject): Violation | undefined {
  const good = (v: string): boolean => v === 'runtime/default' || v === 'docker/default' || v.startsWith('localhost/')
  const keys = ['seccomp.security.alpha.kubernetes.io/pod', ...pod.containers.map((c) => `container.seccomp.security.alpha.kubernetes.io/${c.name}`)]
  const bad = sorted(keys.filter((k) => pod.annotations[k] !== undefined && !good(pod.annotations[k])).map((k) => `${k}=${JSON.stringify(pod.annotations[k])}`))
  return bad.length === 0 ? undefined : { reason: 'seccompProfile', detail: `forbidden ${plural('annotation', bad.length)} ${bad.join(', ')}` }
}

export function seccomp(pod: Subject): Violation | undefined {
  const own = pod.spec.securityContext?.seccompProfile?.type
  const typeOf = (c: Readonly<Container>): string | undefined => c.securityContext?.seccompProfile?.type
  const isBad = (type: string | undefined): boolean => type !== undefined && !profiles.has(type)
  const setters = settersText(isBad(own), containersWith(pod, (c) => isBad(typeOf(c))))
  if (setters === '') return undefined
  const values = sorted([own, ...pod.containers.map(typeOf)].filter((t) => isBad(t)) as string[])
  return { reason: 'seccompProfile', detail: `${setters} must not set securityContext.seccompProfile.type to ${quoted(values)}` }
}

function sysctls(allowed: readonly string[]): (pod: Subject) => Violation | undefined {
  return ({ spec }) => {
    const bad = (spec.securityContext?.sysctls ?? []).map((s) => s.name).filter((n) => !allowed.includes(n))
    return bad.length === 0 ? undefined : { reason: 'forbidden sysctls', detail: bad.join(', ') }
  }
}

function hostProcess(pod: Subject): Violation | undefined {
  const own = pod.spec.securityContext?.windowsOptions?.hostProcess === true
  const setters = settersText(own, containersWith(pod, (c) => c.securityContext?.windowsOptions?.hostProcess === true))
  return setters === '' ? undefined : { reason: 'hostProcess', detail: `${setters} must not set securityContext.windowsOptions.hostProcess=true` }
}
