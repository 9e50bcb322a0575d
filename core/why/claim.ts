/** Why a PersistentVolumeClaim has no volume: no class, no fitting volume, nobody who makes one, or nobody who wants it yet. */
import { persistentVolumeClaims } from '../api/core/persistentvolumeclaim.ts'
import { persistentVolumes } from '../api/core/persistentvolume.ts'
import { pods } from '../api/core/pod.ts'
import { podClaims } from '../api/core/podvolumes.ts'
import { capacityOf, claimClass, misfit, requestOf, bindingAnnotations, waitsForConsumer } from '../api/core/volumebinding.ts'
import { csiDrivers } from '../api/storage/csidriver.ts'
import { localPathProvisioner } from '../api/storage/localpath.ts'
import { storageClasses } from '../api/storage/storageclass.ts'
import { controllerOf } from '../api/meta.ts'
import type { PersistentVolumeClaim, Pod, StorageClass } from '../api/schema/types.ts'
import { few, section, type Finding } from './finding.ts'
import { oneLine } from './crash.ts'
import type { Reader } from './reader.ts'

type Clause = Omit<Finding, 'about'>

/** Provisioners that are part of Kubun. */
const ownPrefix = 'kubun.io/'
const noProvisioner = 'kubernetes.io/no-provisioner'

export async function whyClaim(reader: Reader, claim: Readonly<PersistentVolumeClaim>): Promise<Clause | undefined> {
  const { phase } = claim.status ?? {}
  const volumeName = claim.spec?.volumeName ?? ''
  if (phase === 'Bound') return undefined
  if (phase === 'Lost') return { because: `has lost its volume ${volumeName}: it was deleted, and its data with it`, sections: [] }
  const readable = await reader.list(persistentVolumes)
  const volumes = readable ?? []
  const events = (await reader.eventsOf(claim)).filter(({ type }) => type === 'Warning' || type === 'Normal').slice(0, 3)
  const told = section('what was said about it', events.map(({ reason, message }) => `${reason}: ${message}`))
  if (volumeName !== '') {
    const volume = volumes.find(({ metadata }) => metadata.name === volumeName)
    const why = readable === undefined ? 'you may not read it' : volume === undefined ? 'there is none of that name' : (misfit(volume, claim) ?? (volume.spec?.claimRef === undefined ? 'it is not bound yet' : `it belongs to the claim ${volume.spec.claimRef.namespace}/${volume.spec.claimRef.name}`))
    return { because: `asks for the volume ${volumeName}: ${why}`, sections: told }
  }
  const unfit = section('volumes', volumes.map((volume) => `${volume.metadata.name}: ${unfitText(volume, claim)}`))
  const className = claimClass(claim)
  if (className === undefined || className === '') {
    const none = className === '' ? 'asks for no storage class' : 'names no storage class, and the cluster has no default one'
    return { because: `${none}; ${volumesText(readable?.length, requestOf(claim))}`, sections: [...unfit, ...told] }
  }
  const storage = await reader.get(storageClasses, className)
  if (storage === 'absent') return { because: `asks for the storage class ${className}, which does not exist`, sections: [...section('storage classes', ((await reader.list(storageClasses)) ?? []).map(({ metadata }) => metadata.name ?? '')), ...unfit, ...told] }
  if (storage === 'unreadable') return { because: 'is not bound, and you may not read the storage class that would say why', sections: told }
  return await unprovisioned(reader, claim, storage, [...unfit, ...told], readable?.length)
}

const volumesText = (volumes: number | undefined, size: string): string => (volumes === undefined ? 'which volumes there are you may not read' : volumes === 0 ? 'there is no volume at all that it could take' : `none of ${volumes} volumes is free and fits (${size})`)

function unfitText(volume: Parameters<typeof misfit>[0], claim: Readonly<PersistentVolumeClaim>): string {
  const { claimRef } = volume.spec ?? {}
  if (claimRef !== undefined && claimRef.uid !== claim.metadata.uid) return `belongs to the claim ${claimRef.namespace}/${claimRef.name}`
  return misfit(volume, claim) ?? `fits (${capacityOf(volume)})`
}

async function unprovisioned(reader: Reader, claim: Readonly<PersistentVolumeClaim>, storage: Readonly<StorageClass>, more: Finding['sections'], volumes: number | undefined): Promise<Clause> {
  const { name = '' } = storage.metadata
  if (waitsForConsumer(storage) && claim.metadata.annotations?.[bindingAnnotations.selectedNode] === undefined) {
    const all = await reader.list(pods, claim.metadata.namespace ?? '')
    const users = (all ?? []).filter((pod) => podClaims(pod).some((of) => of.name === claim.metadata.name))
    if (all === undefined) return { because: `waits until a pod that uses it is placed (WaitForFirstConsumer of storage class ${name}), and you may not read pods`, sections: more }
    if (users.length === 0) return { because: `waits for a pod that uses it: the storage class ${name} makes volumes only then (WaitForFirstConsumer)`, sections: more }
    const waiting = users.filter((pod) => (pod.spec?.nodeName ?? '') === '')
    if (waiting.length > 0) return { because: `waits until pod ${few(waiting.map(({ metadata }) => metadata.name ?? ''))} is placed (see kubun why pod/${waiting[0]?.metadata.name})`, sections: more }
  }
  if (storage.provisioner === noProvisioner) return { because: `needs a volume of the storage class ${name} made by hand: ${volumesText(volumes, requestOf(claim))}`, sections: more }
  const failed = (await reader.eventsOf(claim)).find(({ reason }) => reason === 'ProvisioningFailed')
  if (failed !== undefined) return { because: `cannot get a volume from ${storage.provisioner}: ${oneLine(failed.message ?? '')}`, sections: more }
  const driver = storage.provisioner === localPathProvisioner ? undefined : await reader.get(csiDrivers, storage.provisioner)
  // Not every provisioner is a driver; of one that is none, nothing more is known.
  const hint = driver === 'absent' && !storage.provisioner.startsWith(ownPrefix) ? ' (no CSI driver of that name is installed)' : ''
  return { because: `waits for the provisioner ${storage.provisioner} of storage class ${name}, which has made no volume yet${hint}`, sections: more }
}

/** The first claim of a pod that keeps it from being placed: it is not there, or is not bound and does not wait for the pod. */
export async function claimTrouble(reader: Reader, pod: Readonly<Pod>): Promise<Clause | undefined> {
  for (const { name, ephemeral } of podClaims(pod)) {
    const claim = await reader.get(persistentVolumeClaims, name, pod.metadata.namespace ?? '')
    if (claim === 'absent') return { because: `uses the claim ${name}, which does not exist${ephemeral ? ' (it is to be made for the pod)' : ''}`, sections: [] }
    if (claim === 'unreadable') continue
    if (claim.metadata.deletionTimestamp !== undefined) return { because: `uses the claim ${name}, which is being deleted`, sections: [] }
    if (ephemeral && controllerOf(claim)?.uid !== pod.metadata.uid) return { because: `needs a claim ${name} of its own, and there is one of that name that is not`, sections: [] }
    const why = await whyClaim(reader, claim)
    if (why === undefined || /^waits (until|for a) pod/.test(why.because)) continue
    const node = (await waits(reader, claim)) ? chosenFor(pod, claim) : ''
    if (node === undefined) continue
    return { because: `${node === '' ? '' : `is to run on node ${node} and `}waits for its claim ${name}, which ${why.because}`, sections: why.sections }
  }
  return undefined
}

/** The node that the scheduler has chosen and wants the volume for; of one that it has given up since, the annotation tells, too. */
function chosenFor({ status }: Readonly<Pod>, { metadata }: Readonly<PersistentVolumeClaim>): string | undefined {
  const node = metadata.annotations?.[bindingAnnotations.selectedNode]
  return status?.nominatedNodeName === node ? node : undefined
}

/** The pod is placed first, then the claim gets its volume: the scheduler's plugins know better. */
async function waits(reader: Reader, claim: Readonly<PersistentVolumeClaim>): Promise<boolean> {
  const className = claimClass(claim) ?? ''
  const storage = className === '' ? 'absent' : await reader.get(storageClasses, className)
  return typeof storage !== 'string' && waitsForConsumer(storage) && claim.status?.phase !== 'Lost'
}
