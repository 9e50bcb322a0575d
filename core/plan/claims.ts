/** What becomes of claims that are new: which get a volume, and what the others wait for. */
import { annotationOf, bindingAnnotations, claimClass, waitsForConsumer } from '../api/core/volumebinding.ts'
import { keyOf } from '../api/meta.ts'
import type { PersistentVolumeClaim, StorageClass } from '../api/schema/types.ts'
import { thingOf, type Span } from './effects.ts'
import { byThing, type ClaimFate } from './plan.ts'

const prefix = 'persistentvolumeclaims'

export function claimFates({ before, after }: Span): readonly ClaimFate[] {
  const found: ClaimFate[] = []
  for (const [key, object] of after.get(prefix) ?? []) {
    if (before.get(prefix)?.has(key) === true) continue
    const claim = object as unknown as Readonly<PersistentVolumeClaim>
    const phase = claim.status?.phase ?? 'Pending'
    const because = phase === 'Bound' ? provisionerText(claim) : waitText(claim, after.get('storage.k8s.io/storageclasses')?.get(`/${claimClass(claim) ?? ''}`))
    found.push({ ...thingOf({ kind: 'PersistentVolumeClaim', metadata: { ...keyOf(claim) } }), phase, ...(because === undefined ? {} : { because }) })
  }
  return found.toSorted(byThing)
}

function provisionerText(claim: Readonly<PersistentVolumeClaim>): string | undefined {
  const provisioner = annotationOf(claim, bindingAnnotations.provisioner)
  return provisioner === undefined ? `gets the volume ${claim.spec?.volumeName ?? ''}` : `${provisioner} is taken to make its volume; it was not asked`
}

function waitText(claim: Readonly<PersistentVolumeClaim>, storageClass: unknown): string {
  if (waitsForConsumer(storageClass as Readonly<StorageClass> | undefined)) return 'waits for the first pod that uses it'
  const name = claimClass(claim) ?? ''
  if (name === '') return 'no volume that is free fits it, and it names no class that could make one'
  return storageClass === undefined ? `there is no storage class ${JSON.stringify(name)}` : 'no volume that is free fits it'
}
