/** The checks that the restricted standard adds to baseline, by id. */
import type { Container, Volume } from '../../api/schema/types.ts'
import { procMount, seccomp } from './baseline.ts'
import type { Check, Subject, Violation } from './standard.ts'
import { containersText, containersWith, hasUserNamespace, isWindows, plural, quoted, settersText, sorted } from './words.ts'

type Run = (pod: Subject) => Violation | undefined
const notOnWindows = (run: Run): Run => (pod) => (isWindows(pod) ? undefined : run(pod))
const notInUserNamespace = (run: Run): Run => (pod) => (hasUserNamespace(pod) ? undefined : run(pod))

export const restrictedChecks: readonly Check[] = [
  { id: 'allowPrivilegeEscalation', since: [[8, escalation], [25, notOnWindows(escalation)]] },
  { id: 'capabilities_restricted', since: [[22, capabilities], [25, notOnWindows(capabilities)]], replaces: 'capabilities_baseline' },
  { id: 'procMount_restricted', since: [[35, procMount]], replaces: 'procMount' },
  { id: 'restrictedVolumes', since: [[0, volumes]], replaces: 'hostPathVolumes' },
  { id: 'runAsNonRoot', since: [[0, runAsNonRoot], [35, notInUserNamespace(runAsNonRoot)]] },
  { id: 'runAsUser', since: [[23, runAsUser], [35, notInUserNamespace(runAsUser)]] },
  { id: 'seccompProfile_restricted', since: [[19, seccompProfile], [25, notOnWindows(seccompProfile)]], replaces: 'seccompProfile_baseline' },
]

function escalation(pod: Subject): Violation | undefined {
  const bad = containersWith(pod, (c) => c.securityContext?.allowPrivilegeEscalation !== false)
  return bad.length === 0 ? undefined : { reason: 'allowPrivilegeEscalation != false', detail: `${containersText(bad)} must set securityContext.allowPrivilegeEscalation=false` }
}

function capabilities(pod: Subject): Violation | undefined {
  const odd = (c: Readonly<Container>): readonly string[] => (c.securityContext?.capabilities?.add ?? []).filter((name) => name !== 'NET_BIND_SERVICE')
  const keeping = containersWith(pod, (c) => !(c.securityContext?.capabilities?.drop?.includes('ALL') ?? false))
  const adding = containersWith(pod, (c) => odd(c).length > 0)
  const details = [
    ...(keeping.length > 0 ? [`${containersText(keeping)} must set securityContext.capabilities.drop=["ALL"]`] : []),
    ...(adding.length > 0 ? [`${containersText(adding)} must not include ${quoted(sorted(pod.containers.flatMap(odd)))} in securityContext.capabilities.add`] : []),
  ]
  return details.length === 0 ? undefined : { reason: 'unrestricted capabilities', detail: details.join('; ') }
}

const allowedVolumes = ['configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'image', 'persistentVolumeClaim', 'projected', 'secret'] as const
const knownVolumes = [
  'hostPath', 'gcePersistentDisk', 'awsElasticBlockStore', 'gitRepo', 'nfs', 'iscsi', 'glusterfs', 'rbd', 'flexVolume', 'cinder', 'cephfs', 'flocker',
  'fc', 'azureFile', 'vsphereVolume', 'quobyte', 'azureDisk', 'photonPersistentDisk', 'portworxVolume', 'scaleIO', 'storageos',
] as const

function volumes({ spec }: Subject): Violation | undefined {
  const bad = (spec.volumes ?? []).filter((v) => !allowedVolumes.some((type) => v[type] !== undefined))
  if (bad.length === 0) return undefined
  const typeOf = (v: Readonly<Volume>): string => knownVolumes.find((type) => v[type] !== undefined) ?? 'unknown'
  const types = sorted(bad.map(typeOf))
  return {
    reason: 'restricted volume types',
    detail: `${plural('volume', bad.length)} ${quoted(bad.map((v) => v.name))} ${bad.length === 1 ? 'uses' : 'use'} ${plural('restricted volume type', types.length)} ${quoted(types)}`,
  }
}

function runAsNonRoot(pod: Subject): Violation | undefined {
  const own = pod.spec.securityContext?.runAsNonRoot
  const reason = 'runAsNonRoot != true'
  const setters = settersText(own === false, containersWith(pod, (c) => c.securityContext?.runAsNonRoot === false))
  if (setters !== '') return { reason, detail: `${setters} must not set securityContext.runAsNonRoot=false` }
  const silent = own === true ? [] : containersWith(pod, (c) => c.securityContext?.runAsNonRoot === undefined)
  return silent.length === 0 ? undefined : { reason, detail: `pod or ${containersText(silent)} must set securityContext.runAsNonRoot=true` }
}

function runAsUser(pod: Subject): Violation | undefined {
  const setters = settersText(pod.spec.securityContext?.runAsUser === 0, containersWith(pod, (c) => c.securityContext?.runAsUser === 0))
  return setters === '' ? undefined : { reason: 'runAsUser=0', detail: `${setters} must not set runAsUser=0` }
}

function seccompProfile(pod: Subject): Violation | undefined {
  const explicit = seccomp(pod)
  if (explicit !== undefined) return explicit
  if (pod.spec.securityContext?.seccompProfile !== undefined) return undefined
  const silent = containersWith(pod, (c) => c.securityContext?.seccompProfile === undefined)
  if (silent.length === 0) return undefined
  return { reason: 'seccompProfile', detail: `pod or ${containersText(silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"` }
}
