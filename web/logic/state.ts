/** One word for how an object is, and how its containers are. Pure. */
import type { AnyObject, KubeObject } from '../../core/api/meta.ts'
import type { Condition, Container, ContainerState, ContainerStatus, Pod } from '../../core/api/schema/types.ts'
import { wordTone, type Tone } from './table.ts'

export interface AnyStatus {
  readonly phase?: string
  readonly conditions?: readonly Partial<Condition>[]
  readonly replicas?: number
  readonly readyReplicas?: number
  readonly availableReplicas?: number
  readonly numberReady?: number
  readonly desiredNumberScheduled?: number
  readonly succeeded?: number
}

export function statusOf(object: KubeObject): AnyStatus {
  const { status } = object as AnyObject
  return typeof status === 'object' && status !== null ? (status as AnyStatus) : {}
}

export function conditionsOf(object: KubeObject): readonly Partial<Condition>[] {
  const { conditions } = statusOf(object)
  return Array.isArray(conditions) ? conditions : []
}

/** undefined: the kind has nothing of the sort. */
export function stateOf(object: KubeObject): string | undefined {
  const status = statusOf(object)
  const { spec } = object as { readonly spec?: { readonly replicas?: number; readonly completions?: number } }
  if (object.metadata.deletionTimestamp !== undefined) return 'Terminating'
  switch (object.kind) {
    case 'Pod':
      return podState(object as Pod)
    case 'Node':
      return status.conditions?.some((of) => of.type === 'Ready' && of.status === 'True') === true ? 'Ready' : 'NotReady'
    case 'Deployment':
    case 'ReplicaSet':
    case 'StatefulSet':
    case 'ReplicationController':
      return `${status.readyReplicas ?? 0}/${spec?.replicas ?? 1} ready`
    case 'DaemonSet':
      return `${status.numberReady ?? 0}/${status.desiredNumberScheduled ?? 0} ready`
    case 'Job':
      return jobState(status, spec?.completions ?? 1)
    default:
      return typeof status.phase === 'string' ? status.phase : undefined
  }
}

function jobState(status: AnyStatus, completions: number): string {
  const holds = (type: string): boolean => status.conditions?.some((of) => of.type === type && of.status === 'True') === true
  return holds('Complete') ? 'Complete' : holds('Failed') ? 'Failed' : `${status.succeeded ?? 0}/${completions} done`
}

/** `2/3 ready` is on its way; words have their own tone. */
export function toneOfState(state: string): Tone {
  const counts = /^(\d+)\/(\d+) /.exec(state)
  if (counts === null) return wordTone(state)
  return counts[2] === '0' ? 'quiet' : counts[1] === counts[2] ? 'good' : 'busy'
}

function podState({ status }: Pod): string {
  const waiting = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]
    .map(({ state }) => state?.waiting?.reason)
    .find((reason) => reason !== undefined && reason !== '' && reason !== 'PodInitializing')
  return waiting ?? status?.reason ?? status?.phase ?? 'Unknown'
}

export interface ContainerLine {
  readonly name: string
  readonly role: 'init' | 'container' | 'ephemeral'
  readonly image: string
  readonly state: string
  readonly detail: string
  readonly ready: boolean
  readonly restarts: number
}

/** In the order in which they start. */
export function containersOf({ spec, status }: Pod): readonly ContainerLine[] {
  const lines = (role: ContainerLine['role'], containers: readonly Pick<Container, 'name' | 'image'>[] = [], statuses: readonly ContainerStatus[] = []): readonly ContainerLine[] =>
    containers.map(({ name, image }) => {
      const known = statuses.find((of) => of.name === name)
      return { name, role, image: image ?? '', ...stateText(known?.state), ready: known?.ready === true, restarts: known?.restartCount ?? 0 }
    })
  return [
    ...lines('init', spec?.initContainers, status?.initContainerStatuses),
    ...lines('container', spec?.containers, status?.containerStatuses),
    ...lines('ephemeral', spec?.ephemeralContainers, status?.ephemeralContainerStatuses),
  ]
}

function stateText(state: ContainerState | undefined): { readonly state: string; readonly detail: string } {
  if (state?.running !== undefined) return { state: 'Running', detail: '' }
  if (state?.terminated !== undefined) {
    const { reason, exitCode, message } = state.terminated
    return { state: reason ?? (exitCode === 0 ? 'Completed' : 'Error'), detail: [exitCode === 0 ? '' : `exit code ${exitCode}`, message ?? ''].filter((text) => text !== '').join(': ') }
  }
  return { state: state?.waiting?.reason ?? 'Waiting', detail: state?.waiting?.message ?? '' }
}
