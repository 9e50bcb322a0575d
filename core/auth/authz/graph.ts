/**
 * What belongs to a node: its pods and what they name (secrets, config maps,
 * claims, service accounts), the volumes behind the claims and their secrets,
 * volumes that are folders of it, attachments, resource slices. Kept by following objects; asked by node.ts
 * (plugin/pkg/auth/authorizer/node/graph.go).
 */
import { pods } from '../../api/core/pod.ts'
import { persistentVolumes } from '../../api/core/persistentvolume.ts'
import { resourceSlices } from '../../api/resource/resourceslice.ts'
import { localPathNode } from '../../api/storage/localpath.ts'
import { volumeAttachments } from '../../api/storage/volumeattachment.ts'
import type { Container, PersistentVolume, Pod, PodSpec, Volume } from '../../api/schema/types.ts'
import type { Changes } from '../lookup.ts'

export type Vertex = 'pod' | 'secret' | 'configmap' | 'claim' | 'serviceaccount' | 'volume' | 'localvolume' | 'attachment' | 'resourceclaim' | 'slice'

export interface NodeGraph {
  /** Whether the object belongs to the node; `namespace` '' for cluster-wide ones. */
  reaches(node: string, vertex: Vertex, namespace: string, name: string): boolean
  stop(): void
}

const mirrorAnnotation = 'kubernetes.io/config.mirror'

export function nodeGraph(changes: Changes): NodeGraph {
  const held = new Holdings()
  const volumes = new Map<string, { readonly claim: string; readonly secrets: readonly string[] }>()
  const volumesOfSecret = new Map<string, Set<string>>()
  const setVolume = (name: string, volume: Readonly<PersistentVolume> | undefined): void => {
    for (const secret of volumes.get(name)?.secrets ?? []) volumesOfSecret.get(secret)?.delete(name)
    volumes.delete(name)
    const claim = volume?.spec?.claimRef
    if (volume === undefined || claim === undefined) return
    const secrets = volumeSecrets(volume).map(([ns, secret]) => id('secret', ns, secret))
    volumes.set(name, { claim: id('claim', claim.namespace ?? '', claim.name ?? ''), secrets })
    for (const secret of secrets) {
      const set = volumesOfSecret.get(secret) ?? new Set()
      volumesOfSecret.set(secret, set.add(name))
    }
  }
  const stops = [
    changes.follow(pods, ({ type, object }) => {
      const key = id('pod', object.metadata.namespace ?? '', object.metadata.name ?? '')
      const node = object.spec?.nodeName ?? ''
      if (type === 'delete' || node === '') held.drop(key)
      else held.put(key, node, podRefs(object))
    }),
    changes.follow(persistentVolumes, ({ type, object }) => {
      const { name = '' } = object.metadata
      setVolume(name, type === 'set' ? object : undefined)
      const key = id('localvolume', '', name)
      const node = localPathNode(object)
      if (type === 'delete' || node === undefined) held.drop(key)
      else held.put(key, node, [])
    }),
    changes.follow(volumeAttachments, ({ type, object }) => {
      const key = id('attachment', '', object.metadata.name ?? '')
      if (type === 'delete') held.drop(key)
      else held.put(key, object.spec.nodeName, [])
    }),
    changes.follow(resourceSlices, ({ type, object }) => {
      const key = id('slice', '', object.metadata.name ?? '')
      const node = object.spec.nodeName ?? ''
      if (type === 'delete' || node === '') held.drop(key)
      else held.put(key, node, [])
    }),
  ]
  const volumeReaches = (node: string, name: string): boolean => {
    const volume = volumes.get(name)
    return volume !== undefined && held.has(volume.claim, node)
  }
  return {
    reaches(node, vertex, namespace, name) {
      const key = id(vertex, namespace, name)
      if (vertex === 'volume') return volumeReaches(node, name)
      if (held.has(key, node)) return true
      return vertex === 'secret' && [...(volumesOfSecret.get(key) ?? [])].some((volume) => volumeReaches(node, volume))
    },
    stop: () => stops.forEach((s) => s.stop()),
  }
}

/** Which objects are named by holders (pods, attachments) on which nodes, counted, so that the last one to go takes the right away. */
class Holdings {
  readonly #holders = new Map<string, { readonly node: string; readonly refs: readonly string[]; readonly text: string }>()
  readonly #nodesOf = new Map<string, Map<string, number>>()

  put(holder: string, node: string, refs: readonly string[]): void {
    const text = `${node} ${refs.join(' ')}`
    if (this.#holders.get(holder)?.text === text) return // status updates change nothing here
    this.drop(holder)
    this.#holders.set(holder, { node, refs, text })
    for (const ref of [holder, ...refs]) this.#count(ref, node, 1)
  }

  drop(holder: string): void {
    const before = this.#holders.get(holder)
    if (before === undefined) return
    this.#holders.delete(holder)
    for (const ref of [holder, ...before.refs]) this.#count(ref, before.node, -1)
  }

  has(ref: string, node: string): boolean {
    return this.#nodesOf.get(ref)?.has(node) ?? false
  }

  #count(ref: string, node: string, by: number): void {
    const nodes = this.#nodesOf.get(ref) ?? new Map<string, number>()
    const next = (nodes.get(node) ?? 0) + by
    if (next > 0) this.#nodesOf.set(ref, nodes.set(node, next))
    else nodes.delete(node)
    if (nodes.size === 0) this.#nodesOf.delete(ref)
  }
}

function id(vertex: Vertex, namespace: string, name: string): string {
  return `${vertex}:${namespace}/${name}`
}

/** Everything a pod names. A mirror pod gives no rights: its node wrote it itself. */
function podRefs(pod: Readonly<Pod>): readonly string[] {
  const spec = pod.spec
  if (spec === undefined || pod.metadata.annotations?.[mirrorAnnotation] !== undefined) return []
  const namespace = pod.metadata.namespace ?? ''
  const refs = new Set<string>()
  const add = (vertex: Vertex, name: string | undefined): void => {
    if (name !== undefined && name !== '') refs.add(id(vertex, namespace, name))
  }
  add('serviceaccount', spec.serviceAccountName)
  for (const name of podSecretNames(spec)) add('secret', name)
  for (const name of podConfigMapNames(spec)) add('configmap', name)
  for (const volume of spec.volumes ?? []) {
    add('claim', volume.persistentVolumeClaim?.claimName)
    if (volume.ephemeral !== undefined) add('claim', `${pod.metadata.name}-${volume.name}`)
  }
  for (const claim of pod.spec?.resourceClaims ?? []) {
    add('resourceclaim', claim.resourceClaimName ?? pod.status?.resourceClaimStatuses?.find((s) => s.name === claim.name)?.resourceClaimName)
  }
  add('resourceclaim', pod.status?.extendedResourceClaimStatus?.resourceClaimName)
  return [...refs]
}

function containersOf(spec: Readonly<PodSpec>): readonly Pick<Container, 'env' | 'envFrom'>[] {
  return [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])]
}

export function podSecretNames(spec: Readonly<PodSpec>): readonly string[] {
  const names = [...(spec.imagePullSecrets ?? []).map((s) => s.name), ...(spec.volumes ?? []).flatMap(volumeSecretNames)]
  for (const c of containersOf(spec)) {
    names.push(...(c.envFrom ?? []).map((e) => e.secretRef?.name), ...(c.env ?? []).map((e) => e.valueFrom?.secretKeyRef?.name))
  }
  return names.filter((n) => n !== undefined && n !== '') as string[]
}

function volumeSecretNames(v: Readonly<Volume>): readonly (string | undefined)[] {
  return [
    v.secret?.secretName, v.azureFile?.secretName, v.cephfs?.secretRef?.name, v.cinder?.secretRef?.name, v.flexVolume?.secretRef?.name,
    ...(v.projected?.sources ?? []).map((s) => s.secret?.name), v.rbd?.secretRef?.name, v.scaleIO?.secretRef?.name,
    v.iscsi?.secretRef?.name, v.storageos?.secretRef?.name, v.csi?.nodePublishSecretRef?.name,
  ]
}

export function podConfigMapNames(spec: Readonly<PodSpec>): readonly string[] {
  const names = (spec.volumes ?? []).flatMap((v) => [v.configMap?.name, ...(v.projected?.sources ?? []).map((s) => s.configMap?.name)])
  for (const c of containersOf(spec)) {
    names.push(...(c.envFrom ?? []).map((e) => e.configMapRef?.name), ...(c.env ?? []).map((e) => e.valueFrom?.configMapKeyRef?.name))
  }
  return names.filter((n) => n !== undefined && n !== '') as string[]
}

/** Secrets of a volume that a kubelet reads, with their namespaces (pkg/api/v1/persistentvolume/util.go). */
function volumeSecrets(volume: Readonly<PersistentVolume>): readonly (readonly [namespace: string, name: string])[] {
  const spec = volume.spec
  const claimed = spec?.claimRef?.namespace ?? ''
  const refs = [
    spec?.cephfs?.secretRef, spec?.cinder?.secretRef, spec?.flexVolume?.secretRef, spec?.rbd?.secretRef, spec?.scaleIO?.secretRef,
    spec?.iscsi?.secretRef, spec?.storageos?.secretRef, spec?.csi?.nodePublishSecretRef, spec?.csi?.nodeStageSecretRef, spec?.csi?.nodeExpandSecretRef,
    spec?.azureFile === undefined ? undefined : { name: spec.azureFile.secretName, namespace: spec.azureFile.secretNamespace ?? '' },
  ]
  return refs.flatMap((ref) => {
    if (ref === undefined || (ref.name ?? '') === '') return []
    const namespace = 'namespace' in ref ? ref.namespace : undefined
    return [[namespace === undefined || namespace === '' ? claimed : namespace, ref.name ?? ''] as const]
  })
}
