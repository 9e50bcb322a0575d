/** Annotations of pods that the API reads, and how they must agree with the fields that replaced them (k8s.io/kubernetes/pkg/apis/core/validation/validation.go). */
import type { Errors } from '../../checks.ts'
import { forbiddenField, invalidValue, type Path } from '../../field.ts'
import type * as k from '../../schema/types.ts'
import { validateTolerations } from './affinity.ts'
import { relativePath } from './paths.ts'

type Annotations = Readonly<Record<string, string>>
type Placed = readonly (readonly [Readonly<k.Container>, Path])[]

export const mirrorAnnotation = 'kubernetes.io/config.mirror'
const deletionCost = 'controller.kubernetes.io/pod-deletion-cost'
const tolerationsAnnotation = 'scheduler.alpha.kubernetes.io/tolerations'
const podSeccomp = 'seccomp.security.alpha.kubernetes.io/pod'
const containerSeccomp = 'container.seccomp.security.alpha.kubernetes.io/'
const containerAppArmor = 'container.apparmor.security.beta.kubernetes.io/'

export function validatePodAnnotations(errors: Errors, annotations: Annotations, spec: Readonly<k.PodSpec>, at: Path): void {
  const mirror = annotations[mirrorAnnotation]
  if (mirror !== undefined && (spec.nodeName ?? '') === '') {
    errors.push(invalidValue(at.key(mirrorAnnotation), mirror, 'must set spec.nodeName if mirror pod annotation is set'))
  }
  tolerations(errors, annotations[tolerationsAnnotation] ?? '', at)
  const cost = annotations[deletionCost]
  if (cost !== undefined && !isInt32(cost)) errors.push(invalidValue(at.key(deletionCost), cost, 'must be a 32bit integer'))
  for (const key in annotations) {
    const value = annotations[key] ?? ''
    if (key === podSeccomp || key.startsWith(containerSeccomp)) seccompProfile(errors, value, at.child(key))
  }
  const names = [...(spec.initContainers ?? []), ...(spec.containers ?? []), ...(spec.ephemeralContainers ?? [])].map((c) => c.name)
  for (const key in annotations) {
    if (!key.startsWith(containerAppArmor)) continue
    const [name, value] = [key.slice(containerAppArmor.length), annotations[key] ?? '']
    if (!names.includes(name)) errors.push(invalidValue(at.key(key), name, 'container not found'))
    if (value !== '' && value !== 'runtime/default' && value !== 'unconfined' && !value.startsWith('localhost/')) {
      errors.push(invalidValue(at.key(key), value, `invalid AppArmor profile name: ${JSON.stringify(value)}`))
    }
  }
}

/** As Go reads it: no plus sign, no zeros before. */
function isInt32(text: string): boolean {
  return /^(0|-?[1-9]\d*)$/.test(text) && Math.abs(Number(text)) <= 2_147_483_647
}

function tolerations(errors: Errors, text: string, at: Path): void {
  if (text === '') return
  try {
    const list = JSON.parse(text) as k.Toleration[] | null
    if (Array.isArray(list)) validateTolerations(errors, list, at.child(tolerationsAnnotation))
  } catch (error) {
    errors.push(invalidValue(at, tolerationsAnnotation, error instanceof Error ? error.message : String(error)))
  }
}

function seccompProfile(errors: Errors, text: string, at: Path): void {
  if (text === 'runtime/default' || text === 'docker/default' || text === 'unconfined') return
  if (text.startsWith('localhost/')) relativePath(errors, text.slice('localhost/'.length), at)
  else errors.push(invalidValue(at, text, 'must be a valid seccomp profile'))
}

/** Annotation and field must say the same, where both say something. */
export function validateAgreement(errors: Errors, annotations: Annotations, spec: Readonly<k.PodSpec>, at: Path, containers: Placed): void {
  const ofPod = spec.securityContext?.seccompProfile
  if (ofPod !== undefined) agree(errors, annotations[podSeccomp], ofPod, 'seccomp', at.child('securityContext', 'seccompProfile'))
  for (const [container, here] of containers) {
    const own = container.securityContext?.seccompProfile
    if (own !== undefined) agree(errors, annotations[containerSeccomp + container.name], own, 'seccomp', here.child('securityContext', 'seccompProfile'))
  }
  if (spec.os?.name === 'windows') return
  for (const [container, here] of containers) {
    const profile = container.securityContext?.appArmorProfile ?? spec.securityContext?.appArmorProfile
    if (profile !== undefined) agree(errors, annotations[containerAppArmor + container.name], profile, 'apparmor', here.child('securityContext', 'appArmorProfile'))
  }
}

interface Profile {
  readonly type: string
  readonly localhostProfile?: string
}

function agree(errors: Errors, annotation: string | undefined, profile: Profile, what: string, at: Path): void {
  if (annotation === undefined) return
  const isDefault = annotation === 'runtime/default' || (what === 'seccomp' && annotation === 'docker/default')
  const same = { Unconfined: annotation === 'unconfined', RuntimeDefault: isDefault, Localhost: annotation.startsWith('localhost/') }[profile.type]
  if (same === false) errors.push(forbiddenField(at.child('type'), `${what} type in annotation and field must match`))
  else if (profile.type === 'Localhost' && annotation.slice('localhost/'.length) !== profile.localhostProfile) {
    errors.push(forbiddenField(at.child('localhostProfile'), `${what} profile in annotation and field must match`))
  }
}

/** The field that an annotation stands for; undefined when it stands for none. */
export function appArmorOf(annotations: Annotations | undefined, container: string): { readonly key: string; readonly profile: k.AppArmorProfile | undefined } | undefined {
  const key = containerAppArmor + container
  const text = annotations?.[key]
  if (text === undefined) return undefined
  if (text === 'unconfined') return { key, profile: { type: 'Unconfined' } }
  if (text === 'runtime/default') return { key, profile: { type: 'RuntimeDefault' } }
  const path = text.startsWith('localhost/') ? text.slice('localhost/'.length) : ''
  return { key, profile: path === '' ? undefined : { type: 'Localhost', localhostProfile: path } }
}

export function validateAnnotationUpdate(errors: Errors, next: Annotations, prev: Annotations, at: Path): void {
  const guarded = (key: string): string | undefined => (key.startsWith(containerAppArmor) ? 'AppArmor annotations' : key === mirrorAnnotation ? 'mirror pod annotation' : undefined)
  for (const key in prev) {
    const what = next[key] === prev[key] ? undefined : guarded(key)
    if (what !== undefined) errors.push(forbiddenField(at.key(key), `may not remove or update ${what}`))
  }
  for (const key in next) {
    const what = prev[key] !== undefined ? undefined : guarded(key)
    if (what !== undefined) errors.push(forbiddenField(at.key(key), `may not add ${what}`))
  }
}
