/**
 * From a pod's container to what the runtime is told: command, user, security,
 * mounts, namespaces. Pure; everything that had to be looked up comes in. Where the
 * spec asks for what must not be, it throws, and the container waits in CreateContainerConfigError.
 */
import type { Container, Pod } from '../../core/api/schema/types.ts'
import type { ContainerMount, ContainerSecurity, ContainerSpec, RuntimeImage, Share } from '../host/runtime.ts'
import { expand } from './env.ts'
import { containerLabels, runtimeName, sandboxLabels, type ContainerIdentity } from './labels.ts'
import { containerResources, oomScoreOf } from './resources.ts'
import { podText, type PodContainer } from './spec.ts'
import { pauseImage } from './pause.ts'

export interface SandboxInput {
  readonly pod: Readonly<Pod>
  readonly node: string
  readonly attempt: number
  readonly hostname: string
  readonly cgroupParent: string
}

export function sandboxSpec({ pod, node, attempt, hostname, cgroupParent }: SandboxInput): ContainerSpec {
  const { spec } = pod
  const onHost = spec?.hostNetwork === true
  return {
    name: runtimeName(pod, 'POD', attempt),
    image: pauseImage,
    labels: sandboxLabels(node, pod, attempt),
    env: [],
    groups: [],
    ...(onHost ? {} : { hostname }),
    tty: false,
    stdin: false,
    stdinOnce: false,
    network: onHost ? 'host' : 'own',
    ipc: spec?.hostIPC === true ? 'host' : 'own',
    pid: spec?.hostPID === true ? 'host' : 'own',
    uts: onHost ? 'host' : 'own',
    mounts: [],
    sysctls: Object.fromEntries((spec?.securityContext?.sysctls ?? []).map((s) => [s.name, s.value])),
    cgroupParent,
    resources: { cpuShares: 2, cpuQuotaUs: 0, cpuPeriodUs: 100_000, memoryBytes: 0 },
    oomScoreAdj: -998,
    security: { privileged: false, readOnlyRoot: true, noNewPrivileges: true, capAdd: [], capDrop: [], seccomp: 'default', unmaskedProc: false },
    keepLog: false,
  }
}

export interface ContainerInput {
  readonly pod: Readonly<Pod>
  readonly spec: PodContainer
  readonly identity: ContainerIdentity
  readonly image: RuntimeImage
  readonly env: ReadonlyMap<string, string>
  readonly mounts: readonly ContainerMount[]
  readonly cgroupParent: string
  readonly machineBytes: number
  /** Text of the seccomp profile that the container names, if it names one. */
  readonly seccompProfile: string | undefined
  /** Container whose processes an ephemeral container wants to see. */
  readonly targetId: string | undefined
}

export function containerSpec(input: ContainerInput): ContainerSpec {
  const { pod, spec, identity, image, env } = input
  const { container } = spec
  verifyNonRoot(pod, container, image)
  const lookUp = (name: string): string | undefined => env.get(name)
  const words = (list: readonly string[] | undefined): readonly string[] | undefined =>
    list === undefined || list.length === 0 ? undefined : list.map((word) => expand(word, lookUp))
  const [command, args] = [words(container.command), words(container.args)]
  const user = userOf(pod, container, image)
  const sandbox: Share = { container: identity.sandboxId }
  const podSecurity = pod.spec?.securityContext
  const stopSignal = container.lifecycle?.stopSignal
  return {
    name: runtimeName(pod, container.name, identity.attempt),
    image: container.image ?? '',
    labels: containerLabels(pod, spec, identity),
    ...(command === undefined ? {} : { command }),
    ...(args === undefined ? {} : { args }),
    env: [...env].map(([name, value]) => `${name}=${value}`),
    ...(container.workingDir === undefined || container.workingDir === '' ? {} : { workingDir: container.workingDir }),
    ...(user === undefined ? {} : { user }),
    groups: [...(podSecurity?.supplementalGroups ?? []), ...(podSecurity?.fsGroup === undefined ? [] : [podSecurity.fsGroup])].map(String),
    tty: container.tty === true,
    stdin: container.stdin === true,
    stdinOnce: container.stdinOnce === true,
    network: sandbox,
    ipc: pod.spec?.hostIPC === true ? 'host' : sandbox,
    pid: pidShare(pod, sandbox, input.targetId),
    uts: pod.spec?.hostNetwork === true ? 'host' : 'own',
    mounts: input.mounts,
    sysctls: {},
    cgroupParent: input.cgroupParent,
    resources: containerResources(container, pod),
    oomScoreAdj: oomScoreOf(pod, container, input.machineBytes),
    security: securityOf(pod, container, input.seccompProfile),
    keepLog: true,
    ...(stopSignal === undefined ? {} : { stopSignal }),
  }
}

function pidShare(pod: Readonly<Pod>, sandbox: Share, targetId: string | undefined): Share {
  if (pod.spec?.hostPID === true) return 'host'
  if (targetId !== undefined) return { container: targetId }
  return pod.spec?.shareProcessNamespace === true ? sandbox : 'own'
}

function securityOf(pod: Readonly<Pod>, container: Readonly<Container>, profile: string | undefined): ContainerSecurity {
  const s = container.securityContext
  const seccomp = s?.seccompProfile ?? pod.spec?.securityContext?.seccompProfile
  return {
    privileged: s?.privileged === true,
    readOnlyRoot: s?.readOnlyRootFilesystem === true,
    noNewPrivileges: s?.allowPrivilegeEscalation === false,
    capAdd: s?.capabilities?.add ?? [],
    capDrop: s?.capabilities?.drop ?? [],
    // Upstream's default is no profile at all (SeccompDefault is off).
    seccomp: seccomp?.type === 'RuntimeDefault' ? 'default' : seccomp?.type === 'Localhost' && profile !== undefined ? profile : 'unconfined',
    unmaskedProc: s?.procMount === 'Unmasked',
  }
}

/** Name of the Localhost profile that the container wants. */
export function seccompFileOf(pod: Readonly<Pod>, container: Readonly<Container>): string | undefined {
  const profile = container.securityContext?.seccompProfile ?? pod.spec?.securityContext?.seccompProfile
  if (profile?.type !== 'Localhost') return undefined
  if (profile.localhostProfile === undefined || profile.localhostProfile === '') throw new Error('localhostProfile must be set if seccompProfile type is Localhost.')
  return profile.localhostProfile
}

/** undefined: as the image says. */
function userOf(pod: Readonly<Pod>, container: Readonly<Container>, image: RuntimeImage): string | undefined {
  const [own, of] = [container.securityContext, pod.spec?.securityContext]
  const user = own?.runAsUser ?? of?.runAsUser
  const group = own?.runAsGroup ?? of?.runAsGroup
  if (group === undefined) return user === undefined ? undefined : String(user)
  return `${user ?? (image.user.split(':')[0] || '0')}:${group}`
}

/** pkg/kubelet/kuberuntime/security_context_others.go verifyRunAsNonRoot. */
function verifyNonRoot(pod: Readonly<Pod>, container: Readonly<Container>, image: RuntimeImage): void {
  const [own, of] = [container.securityContext, pod.spec?.securityContext]
  if ((own?.runAsNonRoot ?? of?.runAsNonRoot) !== true) return
  const about = `(pod: "${podText(pod)}", container: ${container.name})`
  const user = own?.runAsUser ?? of?.runAsUser
  if (user === 0) throw new Error(`container's runAsUser breaks non-root policy ${about}`)
  if (user !== undefined) return
  const name = image.user.split(':')[0] ?? ''
  if (name !== '' && !/^\d+$/.test(name)) {
    throw new Error(`container has runAsNonRoot and image has non-numeric user (${name}), cannot verify user is non-root ${about}`)
  }
  if (name === '' || Number(name) === 0) throw new Error(`container has runAsNonRoot and image will run as root ${about}`)
}

