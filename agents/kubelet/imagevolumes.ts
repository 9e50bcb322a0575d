/**
 * Volumes of type image. What a volume shows is decided once in a pod's life: a container is made of the image and never
 * started, so that nobody removes the image, and its layers are mounted into the volume's folder. Where the engine does not
 * keep layers as folders the file system is unpacked there. Both go with the pod (getImageVolumes in
 * pkg/kubelet/kuberuntime/kuberuntime_manager.go).
 */
import { mkdir, rename, rm } from 'node:fs/promises'
import type { Ctx } from '../../core/lib/ctx.ts'
import type { Container, Pod, Secret, Volume } from '../../core/api/schema/types.ts'
import type { ContainerSpec } from '../host/runtime.ts'
import type { PodDeps } from './deps.ts'
import { StartError } from './images.ts'
import { containerNameOf, holderLabels, runtimeName } from './labels.ts'
import { refOf } from './ports.ts'
import type { VolumesReady } from './volumes.ts'

export interface ImageVolumes {
  readonly pod: Readonly<Pod>
  /** The container that is to start. */
  readonly container: Readonly<Container>
  readonly volumes: VolumesReady
  /** The pod's pull secrets, read when they are needed. */
  readonly secrets: () => Promise<readonly Readonly<Secret>[]>
}

/** Mounts what the container shows. Throws StartError with the reason that the container waits for. */
export async function mountImageVolumes(ctx: Ctx, deps: PodDeps, input: ImageVolumes): Promise<void> {
  const shown = new Set((input.container.volumeMounts ?? []).map((mount) => mount.name))
  for (const volume of input.pod.spec?.volumes ?? []) {
    const path = input.volumes.paths.get(volume.name)
    if (volume.image === undefined || path === undefined || !shown.has(volume.name)) continue
    if ((await deps.mounts.under(ctx, path)).includes(path)) continue
    const holder = await hold(ctx, deps, input, volume)
    await mount(ctx, deps, holder, path).catch((error: unknown) => {
      ctx.signal.throwIfAborted()
      throw new StartError('CreateContainerError', `ImageVolumeMountFailed: ${error instanceof Error ? error.message : String(error)}`)
    })
  }
}

interface Holder {
  readonly id: string
  readonly imageId: string
}

async function hold(ctx: Ctx, deps: PodDeps, { pod, secrets }: ImageVolumes, volume: Readonly<Volume>): Promise<Holder> {
  const there = deps.observer.pod(pod.metadata.uid ?? '')?.holders.find((c) => containerNameOf(c) === volume.name)
  if (there !== undefined) return there
  const { reference = '', pullPolicy } = volume.image ?? {}
  const container = { name: volume.name, image: reference, ...(pullPolicy === undefined ? {} : { imagePullPolicy: pullPolicy }) }
  const tell = (type: 'Normal' | 'Warning', reason: string, message: string): void => deps.recorder.event(refOf(pod, 'Pod'), type, reason, message)
  const { id: imageId } = await deps.images.ensure(ctx, { pod, container, secrets, tell })
  const spec = holderSpec(deps.node.name, pod, volume.name, imageId)
  await deps.runtime.remove(ctx, spec.name) // one that was made but never heard of
  const id = await deps.runtime.create(ctx, spec)
  await deps.observer.refresh(ctx, id)
  return { id, imageId }
}

async function mount(ctx: Ctx, deps: PodDeps, { id, imageId }: Holder, path: string): Promise<void> {
  const layers = await deps.runtime.layers(ctx, imageId)
  if (layers !== undefined) {
    try {
      return await deps.mounts.layers(ctx, layers, path)
    } catch (error) {
      // A kernel or an engine elsewhere may not let us: there is another way.
      ctx.log.info('layers of an image not mounted', { image: imageId, error })
    }
  }
  const [draft, files] = [`${path}.new`, `${path}.files`]
  for (const dir of [draft, files]) await rm(dir, { recursive: true, force: true })
  await mkdir(draft, { recursive: true, mode: 0o755 })
  await deps.unpack(ctx, await deps.runtime.archive(ctx, id), draft)
  await rename(draft, files)
  await deps.mounts.layers(ctx, [files], path)
}

/** Never started: the command is there because Docker makes no container without one. */
function holderSpec(node: string, pod: Readonly<Pod>, volume: string, image: string): ContainerSpec {
  return {
    name: runtimeName(pod, `IMAGE.${volume}`, 0),
    image,
    labels: holderLabels(node, pod, volume),
    command: ['/never'],
    env: [],
    groups: [],
    tty: false,
    stdin: false,
    stdinOnce: false,
    network: 'own',
    ipc: 'own',
    pid: 'own',
    uts: 'own',
    mounts: [],
    sysctls: {},
    cgroupParent: '',
    resources: { cpuShares: 2, cpuQuotaUs: 0, cpuPeriodUs: 100_000, memoryBytes: 0 },
    oomScoreAdj: 0,
    security: { privileged: false, readOnlyRoot: true, noNewPrivileges: true, capAdd: [], capDrop: [], seccomp: 'default', unmaskedProc: false },
    keepLog: false,
  }
}
