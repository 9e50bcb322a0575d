/**
 * Making a pod's sandbox and starting its containers: looks up what the pure parts
 * need, tells the runtime, and turns what goes wrong into the reasons that users
 * see (pkg/kubelet/kuberuntime/kuberuntime_container.go startContainer).
 */
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Ctx } from '../../core/lib/ctx.ts'
import { configMaps } from '../../core/api/core/configmap.ts'
import { persistentVolumes } from '../../core/api/core/persistentvolume.ts'
import { persistentVolumeClaims } from '../../core/api/core/persistentvolumeclaim.ts'
import { formatResolvConf, parseResolvConf, podDns } from '../../core/api/core/resolvconf.ts'
import { secrets } from '../../core/api/core/secret.ts'
import type { ContainerStatus, Pod, Secret } from '../../core/api/schema/types.ts'
import type { RuntimeContainer } from '../host/runtime.ts'
import type { PodDeps } from './deps.ts'
import { devicesProblem } from './devices.ts'
import { environmentOf, type PodObjects } from './env.ts'
import type { FieldEnv } from './fields.ts'
import { hostsFile } from './files.ts'
import { runHook } from './hooks.ts'
import { StartError, type Tell } from './images.ts'
import { mountImageVolumes } from './imagevolumes.ts'
import { attemptOf, containerNameOf, hashOf } from './labels.ts'
import { mountsOf } from './mountspec.ts'
import type { ObservedPod } from './observe.ts'
import { refOf, type HostPort } from './ports.ts'
import { noteInForce } from './resize/actuate.ts'
import { cgroupParentOf, cgroupPathOf, podResources } from './resources.ts'
import { containerSpec, sandboxSpec, seccompFileOf } from './runspec.ts'
import { containersOf, fieldPathOf, hostnameOf, type PodContainer } from './spec.ts'
import { setUpVolumes, type VolumeEnv, type VolumesReady } from './volumes.ts'

export const podDirOf = (deps: PodDeps, uid: string): string => join(deps.podsDir, uid)

export function objectsOf(ctx: Ctx, deps: PodDeps, pod: Readonly<Pod>): PodObjects {
  const { namespace = '', uid = '' } = pod.metadata
  return {
    configMap: (name) => deps.objects.get(ctx, configMaps, { namespace, name }, uid),
    secret: (name) => deps.objects.get(ctx, secrets, { namespace, name }, uid),
  }
}

/** Read anew each time: a kubelet may get the claims and volumes of its pods, but not watch them. */
function storageOf(ctx: Ctx, deps: PodDeps, pod: Readonly<Pod>): Pick<VolumeEnv, 'claim' | 'persistentVolume'> {
  return {
    claim: (name) => deps.client.get(ctx, persistentVolumeClaims, { namespace: pod.metadata.namespace ?? '', name }),
    persistentVolume: (name) => deps.client.get(ctx, persistentVolumes, { namespace: '', name }),
  }
}

export function fieldsOf(deps: PodDeps, pod: Readonly<Pod>, podIPs: readonly string[]): FieldEnv {
  const { hostIPs, allocatable } = deps.node
  return { hostIPs, allocatable, podIPs: pod.spec?.hostNetwork === true ? hostIPs : podIPs }
}

export function prepareVolumes(ctx: Ctx, deps: PodDeps, pod: Readonly<Pod>, podIPs: readonly string[]): Promise<VolumesReady> {
  const podDir = podDirOf(deps, pod.metadata.uid ?? '')
  return setUpVolumes(ctx, { pod, podDir, mounts: deps.mounts, fields: fieldsOf(deps, pod, podIPs), tokens: deps.tokens, ...objectsOf(ctx, deps, pod), ...storageOf(ctx, deps, pod) })
}

/** Why the pod cannot have a sandbox now: reason and message of its event. */
export async function sandboxProblem(ctx: Ctx, deps: PodDeps, pod: Readonly<Pod>): Promise<{ readonly reason: string; readonly message: string } | undefined> {
  const notReady = pod.spec?.hostNetwork === true ? undefined : deps.network.notReady?.()
  if (notReady !== undefined) return { reason: 'NetworkNotReady', message: `network is not ready: ${notReady}` }
  const missing = await devicesProblem(ctx, deps.client, pod)
  return missing === undefined ? undefined : { reason: 'FailedPrepareDynamicResources', message: `Failed to prepare dynamic resources: prepare dynamic resources: ${missing}` }
}

/** A new sandbox that runs; the network comes after. */
export async function startSandbox(ctx: Ctx, deps: PodDeps, pod: Readonly<Pod>, attempt: number): Promise<string> {
  if (pod.spec?.hostUsers === false) throw new Error('user namespaces (hostUsers: false) are not supported by the runtime')
  const handler = pod.spec?.runtimeClassName ?? ''
  if (handler !== '') throw new Error(`RuntimeClass "${handler}" is not supported: the node has no runtime handlers`)
  const { cgroupRoot, node, cgroups } = deps
  await cgroups.ensure(ctx, cgroupPathOf(pod, cgroupRoot, node.cgroupDriver), podResources(pod))
  const { hostname } = hostnameOf(pod, deps.dns.domain)
  const cgroupParent = cgroupParentOf(pod, cgroupRoot, node.cgroupDriver)
  deps.records.note(pod.metadata.uid ?? '', { group: podResources(pod) })
  const id = await createFresh(ctx, deps, sandboxSpec({ pod, node: node.name, attempt, hostname, cgroupParent }))
  await deps.runtime.start(ctx, id)
  return id
}

/** A name may be taken by a container whose making was interrupted before anybody heard of it. */
async function createFresh(ctx: Ctx, deps: PodDeps, spec: ReturnType<typeof sandboxSpec>): Promise<string> {
  try {
    return await deps.runtime.create(ctx, spec)
  } catch (error) {
    if (!(error instanceof Error) || !/is already in use by container/.test(error.message)) throw error
    await deps.runtime.remove(ctx, spec.name)
    return deps.runtime.create(ctx, spec)
  }
}

/** Joins the sandbox to the pod network; its addresses. */
export async function attachNetwork(ctx: Ctx, deps: PodDeps, pod: Readonly<Pod>, sandbox: RuntimeContainer): Promise<readonly string[]> {
  if (pod.spec?.hostNetwork === true) return deps.node.hostIPs
  const { uid = '', namespace = '', name = '' } = pod.metadata
  const attachment = { podUid: uid, pid: sandbox.pid, netnsPath: `/proc/${sandbox.pid}/ns/net`, namespace, name, hostPorts: hostPortsOf(pod) }
  return (await deps.network.attach(ctx, attachment)).ips
}

export function hostPortsOf(pod: Readonly<Pod>): readonly HostPort[] {
  return containersOf(pod).flatMap(({ container }) =>
    (container.ports ?? [])
      .filter((p) => (p.hostPort ?? 0) > 0)
      .map((p) => ({ protocol: (p.protocol ?? 'TCP') as HostPort['protocol'], hostIP: p.hostIP ?? '', hostPort: p.hostPort ?? 0, containerPort: p.containerPort })),
  )
}

/** hosts and resolv.conf of the pod; containers mount them. */
export async function writePodFiles(deps: PodDeps, pod: Readonly<Pod>, podIPs: readonly string[]): Promise<void> {
  const dir = podDirOf(deps, pod.metadata.uid ?? '')
  await mkdir(dir, { recursive: true, mode: 0o750 })
  const nodeHosts = pod.spec?.hostNetwork === true ? await readFile('/etc/hosts', 'utf8').catch(() => '') : ''
  const host = parseResolvConf(await readFile(deps.resolvConf, 'utf8').catch(() => ''))
  const { conf, warnings, missingClusterDns } = podDns(pod, { clusterDns: deps.dns.addresses, clusterDomain: deps.dns.domain, host })
  for (const message of warnings) deps.recorder.event(refOf(pod, 'Pod'), 'Warning', 'DNSConfigForming', message)
  if (missingClusterDns !== undefined) deps.recorder.event(refOf(pod, 'Pod'), 'Warning', 'MissingClusterDNS', missingClusterDns)
  await writeFile(join(dir, 'etc-hosts'), hostsFile(pod, hostnameOf(pod, deps.dns.domain), podIPs, nodeHosts))
  await writeFile(join(dir, 'resolv.conf'), formatResolvConf(conf))
  await Promise.all(['etc-hosts', 'resolv.conf'].map((name) => chmod(join(dir, name), 0o644)))
}

export interface StartInput {
  readonly pod: Readonly<Pod>
  readonly spec: PodContainer
  readonly observed: ObservedPod
  readonly sandbox: RuntimeContainer
  readonly podIPs: readonly string[]
  readonly volumes: VolumesReady
  /** What the API says of the container, for one whose predecessors are gone. */
  readonly prev: ContainerStatus | undefined
}

/** Starts one container and runs its postStart hook. Throws StartError with the waiting reason. */
export async function startContainer(ctx: Ctx, deps: PodDeps, input: StartInput): Promise<string> {
  const { pod, spec, observed } = input
  const tell: Tell = (type, reason, message) => deps.recorder.event(refOf(pod, 'Pod', fieldPathOf(spec)), type, reason, message)
  const fail = (reason: string, error: unknown, event = `Error: ${wordsOf(error)}`): StartError => {
    tell('Warning', 'Failed', event)
    return new StartError(reason, wordsOf(error))
  }
  const refused = (error: unknown): never => {
    if (error instanceof StartError) tell('Warning', 'Failed', `Error: ${error.reason}`)
    throw error
  }
  const secrets = (): Promise<readonly Readonly<Secret>[]> => pullSecrets(ctx, deps, pod)
  await mountImageVolumes(ctx, deps, { pod, container: spec.container, volumes: input.volumes, secrets }).catch(refused)
  const image = await deps.images.ensure(ctx, { pod, container: spec.container, secrets, tell }).catch(refused)
  const config = await configOf(ctx, deps, input, image).catch((error: unknown) => {
    ctx.signal.throwIfAborted()
    throw fail('CreateContainerConfigError', error)
  })
  const ended = observed.containers.find((c) => containerNameOf(c) === spec.container.name && c.state === 'exited')
  if (ended !== undefined) deps.restarts.grow(restartKey(pod, spec), ended.finishedMs, ctx.clock.now())
  const id = await createFresh(ctx, deps, config).catch((error: unknown) => {
    throw fail('CreateContainerError', error)
  })
  tell('Normal', 'Created', 'Container created')
  noteInForce(deps.records, pod.metadata.uid ?? '', spec.container, { id, resources: config.resources })
  try {
    await deps.runtime.start(ctx, id)
  } catch (error) {
    throw fail('RunContainerError', error)
  } finally {
    await deps.observer.refresh(ctx, id)
  }
  tell('Normal', 'Started', 'Container started')
  await postStart(ctx, deps, input, id, tell)
  return id
}

export const restartKey = (pod: Readonly<Pod>, spec: PodContainer): string => `${pod.metadata.uid}_${spec.container.name}_${hashOf(spec.container)}`

async function postStart(ctx: Ctx, deps: PodDeps, { pod, spec, podIPs }: StartInput, id: string, tell: Tell): Promise<void> {
  const hook = spec.container.lifecycle?.postStart
  if (hook === undefined) return
  try {
    await runHook(ctx, deps.runtime, hook, { pod, spec, containerId: id, podIP: podIPs[0] ?? '' })
  } catch (error) {
    ctx.signal.throwIfAborted()
    // The message may hold secrets of the hook's output: it goes to the status, not into the event.
    tell('Warning', 'FailedPostStartHook', 'PostStartHook failed')
    tell('Normal', 'Killing', 'FailedPostStartHook')
    await deps.runtime.stop(ctx, id, pod.spec?.terminationGracePeriodSeconds ?? 30)
    await deps.observer.refresh(ctx, id)
    throw new StartError('PostStartHookError', wordsOf(error))
  }
}

async function configOf(ctx: Ctx, deps: PodDeps, input: StartInput, image: Parameters<typeof containerSpec>[0]['image']): Promise<ReturnType<typeof containerSpec>> {
  const { pod, spec, observed, sandbox, podIPs, volumes, prev } = input
  const { container } = spec
  const dir = podDirOf(deps, pod.metadata.uid ?? '')
  const attempt = await nextAttempt(ctx, deps, observed, container.name, prev)
  const env = await environmentOf({ pod, container, services: deps.services(), objects: objectsOf(ctx, deps, pod), fields: fieldsOf(deps, pod, podIPs) })
  const messageFile = join(dir, 'containers', container.name, String(attempt))
  await mkdir(join(dir, 'containers', container.name), { recursive: true, mode: 0o750 })
  await writeFile(messageFile, '')
  await chmod(messageFile, 0o666) // whoever the container runs as must be able to write it
  const given = new Map([
    ['/etc/hosts', join(dir, 'etc-hosts')],
    ['/etc/resolv.conf', join(dir, 'resolv.conf')],
    [container.terminationMessagePath ?? '/dev/termination-log', messageFile],
  ])
  const mounts = await mountsOf(ctx, deps.mounts, { container, podDir: dir, volumes: volumes.paths, readOnly: volumes.readOnly, env, given, attempt })
  const profile = seccompFileOf(pod, container)
  const target = container.targetContainerName
  const targetId = target === undefined || target === '' ? undefined : observed.containers.find((c) => containerNameOf(c) === target && c.state === 'running')?.id
  if (target !== undefined && target !== '' && targetId === undefined) throw new Error(`unable to find target container ${target}`)
  return containerSpec({
    pod,
    spec,
    identity: { node: deps.node.name, sandboxId: sandbox.id, attempt, messageFile },
    image,
    env,
    mounts,
    cgroupParent: cgroupParentOf(pod, deps.cgroupRoot, deps.node.cgroupDriver),
    machineBytes: deps.node.machineBytes,
    seccompProfile: profile === undefined ? undefined : await readFile(join(deps.seccompDir, profile), 'utf8'),
    targetId,
  })
}

/** One more than the newest; a container that was made but never started gives its number back. */
async function nextAttempt(ctx: Ctx, deps: PodDeps, observed: ObservedPod, name: string, prev: ContainerStatus | undefined): Promise<number> {
  const mine = observed.containers.filter((c) => containerNameOf(c) === name)
  let next: number | undefined
  for (const c of mine) {
    if (c.state !== 'created') {
      next ??= attemptOf(c) + 1
      continue
    }
    await deps.runtime.remove(ctx, c.id)
    await deps.observer.refresh(ctx, c.id)
    next ??= attemptOf(c)
  }
  if (next !== undefined) return next
  return prev?.containerID === undefined || prev.containerID === '' ? 0 : prev.restartCount + 1
}

async function pullSecrets(ctx: Ctx, deps: PodDeps, pod: Readonly<Pod>): Promise<readonly Readonly<Secret>[]> {
  const found: Readonly<Secret>[] = []
  for (const { name = '' } of pod.spec?.imagePullSecrets ?? []) {
    const secret = name === '' ? undefined : await objectsOf(ctx, deps, pod).secret(name)
    if (secret !== undefined) found.push(secret)
    else deps.recorder.event(refOf(pod, 'Pod'), 'Warning', 'FailedToRetrieveImagePullSecret', `Unable to retrieve some image pull secrets (${name}); attempting to pull the image may not succeed.`)
  }
  return found
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
