/** A container's description in Docker's words. Pure; knows what this machine cannot give and what comes closest. */
import type { ContainerCreateOptions, HostConfig } from 'dockerode'
import type { ContainerSpec, Share } from '../runtime.ts'
import { limits } from './resources.ts'

/** `caps`: the machine's capability bounding set, as the bit mask of /proc/self/status. */
export function createOptions(spec: ContainerSpec, caps: bigint): ContainerCreateOptions {
  return {
    name: spec.name,
    Image: spec.image,
    Labels: { ...spec.labels },
    ...(spec.command === undefined ? {} : { Entrypoint: [...spec.command] }),
    ...(spec.args === undefined ? {} : { Cmd: [...spec.args] }),
    Env: [...spec.env],
    ...(spec.workingDir === undefined ? {} : { WorkingDir: spec.workingDir }),
    ...(spec.user === undefined ? {} : { User: spec.user }),
    ...(spec.hostname === undefined ? {} : { Hostname: spec.hostname }),
    ...(spec.stopSignal === undefined ? {} : { StopSignal: spec.stopSignal }),
    Tty: spec.tty,
    OpenStdin: spec.stdin,
    StdinOnce: spec.stdinOnce,
    // The kubelet has probes of its own; an image's HEALTHCHECK would only cost.
    Healthcheck: { Test: ['NONE'] },
    HostConfig: hostConfig(spec, caps),
  }
}

function hostConfig(spec: ContainerSpec, caps: bigint): HostConfig {
  return {
    NetworkMode: spec.network === 'own' ? 'none' : share(spec.network),
    IpcMode: spec.ipc === 'own' ? 'shareable' : share(spec.ipc),
    PidMode: spec.pid === 'own' ? '' : share(spec.pid),
    UTSMode: spec.uts === 'host' ? 'host' : '',
    CgroupnsMode: 'private',
    CgroupParent: spec.cgroupParent,
    ...limits(spec.resources),
    OomScoreAdj: has(caps, 'SYS_RESOURCE') ? spec.oomScoreAdj : Math.max(0, spec.oomScoreAdj),
    Mounts: spec.mounts.map((m) => ({
      Type: 'bind',
      Source: m.source,
      Target: m.target,
      ReadOnly: m.readOnly,
      BindOptions: { Propagation: m.propagation },
    })),
    ...(Object.keys(spec.sysctls).length === 0 ? {} : { Sysctls: { ...spec.sysctls } }),
    GroupAdd: [...spec.groups],
    RestartPolicy: { Name: 'no' },
    LogConfig: spec.keepLog ? { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '5' } } : { Type: 'none', Config: {} },
    ReadonlyRootfs: spec.security.readOnlyRoot,
    ...securityConfig(spec, caps),
  } as HostConfig
}

function securityConfig(spec: ContainerSpec, caps: bigint): Partial<HostConfig> {
  const { security: s } = spec
  const missing = capabilityNames.filter((name) => !has(caps, name))
  if (s.privileged && missing.length === 0) return { Privileged: true }
  const open = s.privileged || s.unmaskedProc
  return {
    // Where the machine itself lacks a capability Docker refuses --privileged and ALL: every one that is there, by name.
    CapAdd: s.privileged ? capabilityNames.filter((name) => has(caps, name)) : expand(s.capAdd, caps),
    CapDrop: s.privileged ? [] : s.capDrop.map(bare),
    SecurityOpt: [
      ...(s.noNewPrivileges && !s.privileged ? ['no-new-privileges:true'] : []),
      ...(s.privileged || s.seccomp === 'unconfined' ? ['seccomp=unconfined'] : s.seccomp === 'default' ? [] : [`seccomp=${s.seccomp}`]),
    ],
    ...(open ? { MaskedPaths: [], ReadonlyPaths: [] } : {}),
    ...(s.privileged ? { DeviceCgroupRules: ['a *:* rwm'] } : {}),
  } as Partial<HostConfig>
}

function expand(names: readonly string[], caps: bigint): string[] {
  const asked = names.map(bare)
  return asked.includes('ALL') ? capabilityNames.filter((name) => has(caps, name)) : asked
}

const bare = (name: string): string => name.toUpperCase().replace(/^CAP_/, '')
const has = (caps: bigint, name: string): boolean => (caps & (1n << BigInt(capabilityNames.indexOf(name)))) !== 0n

function share(with_: Exclude<Share, 'own'>): string {
  return with_ === 'host' ? 'host' : `container:${with_.container}`
}

/** By number, as in linux/capability.h. */
const capabilityNames: readonly string[] = [
  'CHOWN', 'DAC_OVERRIDE', 'DAC_READ_SEARCH', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID', 'SETPCAP', 'LINUX_IMMUTABLE',
  'NET_BIND_SERVICE', 'NET_BROADCAST', 'NET_ADMIN', 'NET_RAW', 'IPC_LOCK', 'IPC_OWNER', 'SYS_MODULE', 'SYS_RAWIO', 'SYS_CHROOT',
  'SYS_PTRACE', 'SYS_PACCT', 'SYS_ADMIN', 'SYS_BOOT', 'SYS_NICE', 'SYS_RESOURCE', 'SYS_TIME', 'SYS_TTY_CONFIG', 'MKNOD', 'LEASE',
  'AUDIT_WRITE', 'AUDIT_CONTROL', 'SETFCAP', 'MAC_OVERRIDE', 'MAC_ADMIN', 'SYSLOG', 'WAKE_ALARM', 'BLOCK_SUSPEND', 'AUDIT_READ',
]
