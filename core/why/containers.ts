/**
 * Why the containers of a pod that has a node do not run: the first that hinders, init containers before the others. What
 * the kubelet reports is the ground; events, logs and what the pod names say the rest.
 */
import type { Container, ContainerStatus, Event, Pod } from '../api/schema/types.ts'
import { podCondition } from '../api/core/podstate.ts'
import { endText, oneLine } from './crash.ts'
import { section, type Finding, type Section } from './finding.ts'
import { imageClause } from './image.ts'
import { failingProbe, probeOf, probeText, type ProbeKind } from './probes.ts'
import type { Reader } from './reader.ts'
import { missingReference, pullSecretsOf, type PullSecret } from './references.ts'

type Clause = Omit<Finding, 'about'>

const logLines = 5

interface Looked {
  readonly pod: Readonly<Pod>
  readonly events: readonly Readonly<Event>[]
}

/** Undefined: every container does what it is to do. */
export async function containerTrouble(reader: Reader, pod: Readonly<Pod>): Promise<Clause | undefined> {
  const looked: Looked = { pod, events: await reader.eventsOf(pod) }
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {}
  for (const status of initContainerStatuses) {
    const container = pod.spec?.initContainers?.find(({ name }) => name === status.name)
    const found = await initTrouble(reader, looked, status, container)
    if (found !== undefined) return found
  }
  const troubles: Clause[] = []
  for (const status of containerStatuses) {
    const container = pod.spec?.containers.find(({ name }) => name === status.name)
    const many = (pod.spec?.containers.length ?? 0) > 1
    const found = await stateTrouble(reader, looked, status, container, many ? `container ${status.name}` : '')
    if (found !== undefined) troubles.push(found)
  }
  const [first] = troubles.toSorted((a, b) => weight(a) - weight(b))
  if (first !== undefined) return first
  if (containerStatuses.length === 0 && initContainerStatuses.length === 0) return await starting(reader, looked)
  return readinessGate(pod)
}

/** What still starts says less than what has failed. */
const weight = ({ because }: Clause): number => (because.startsWith('is being started') ? 1 : 0)

async function initTrouble(reader: Reader, looked: Looked, status: Readonly<ContainerStatus>, container: Readonly<Container> | undefined): Promise<Clause | undefined> {
  const sidecar = container?.restartPolicy === 'Always'
  if (!sidecar && status.state?.terminated?.exitCode === 0) return undefined
  if (sidecar && status.started === true) return await stateTrouble(reader, looked, status, container, `sidecar ${status.name}`)
  if (status.state?.running !== undefined && (status.restartCount ?? 0) === 0) {
    const log = await logOf(reader, looked.pod, status.name, false)
    const probe = sidecar ? failingProbe(looked.events, status.name, ['Startup']) : undefined
    if (probe !== undefined) return { because: `waits for its sidecar ${status.name}, whose startup probe fails: ${probe.message}`, sections: log }
    return { because: `waits for its init container ${status.name}, which has not ended yet`, sections: log }
  }
  return await stateTrouble(reader, looked, status, container, `init container ${status.name}`)
}

/** `who`: '' when it goes without saying which container is meant. */
async function stateTrouble(reader: Reader, looked: Looked, status: Readonly<ContainerStatus>, container: Readonly<Container> | undefined, who: string): Promise<Clause | undefined> {
  const { waiting, terminated, running } = status.state ?? {}
  if (waiting !== undefined) return await waitingTrouble(reader, looked, status, container, who)
  if (terminated !== undefined) {
    if (terminated.exitCode === 0 && looked.pod.spec?.restartPolicy !== 'Always') return undefined
    return { because: crashText(who, endText(terminated, container)), sections: [...section('message', terminated.message === undefined ? [] : [terminated.message]), ...(await logOf(reader, looked.pod, status.name, false))] }
  }
  if (running === undefined || status.ready === true) return undefined
  return await unready(reader, looked, status, container, who)
}

const crashText = (who: string, end: string): string => (who === '' ? `does not run: its container ${end}` : `does not run: its ${who} ${end}`)
const of = (who: string): string => (who === '' ? '' : ` (${who})`)

async function waitingTrouble(reader: Reader, looked: Looked, status: Readonly<ContainerStatus>, container: Readonly<Container> | undefined, who: string): Promise<Clause | undefined> {
  const { reason = '', message = '' } = status.state?.waiting ?? {}
  const { pod, events } = looked
  const ended = status.lastState?.terminated
  if (reason === 'CrashLoopBackOff') {
    const probe = killedBy(events, status.name)
    const end = ended === undefined ? 'ends again and again' : probe !== undefined && ended.reason !== 'OOMKilled' ? `is ended because its ${probe.kind.toLowerCase()} probe fails: ${probe.message}` : endText(ended, container)
    const sections = [...section('restarts', [`${status.restartCount} so far${message === '' ? '' : `; ${oneLine(message)}`}`]), ...probeSection(container, probe?.kind), ...(await logOf(reader, pod, status.name, true))]
    return { because: `crashes again and again: its ${who === '' ? 'container' : who} ${end}`, sections }
  }
  const said = [message, ...events.filter((event) => event.reason === 'Failed' && about(event, status.name)).map((event) => event.message ?? '')].filter((text) => text !== '')
  const secrets = /Image|Registry/.test(reason) ? await pullSecretsOf(reader, pod) : []
  const image = imageClause(container?.image ?? status.image, reason, said, secrets.filter(({ is }) => is === 'absent').map(({ name }) => name))
  if (image !== undefined) return { because: `${image}${of(who)}`, sections: [...section('what the node said', said.slice(0, 2)), ...section('pull secrets', pullSecretLines(secrets))] }
  if (/^(CreateContainerConfigError|CreateContainerError|RunContainerError|PostStartHookError|PreCreateHookError|PreStartHookError)$/.test(reason)) {
    const missing = reason === 'CreateContainerConfigError' ? await missingReference(reader, pod) : undefined
    return { because: missing ?? `cannot start its ${who === '' ? 'container' : who}: ${oneLine(message === '' ? reason : message)}`, sections: section('what the node said', [`${reason}: ${message}`]) }
  }
  if (reason === 'ContainerCreating' || reason === 'PodInitializing' || reason === '') return await starting(reader, looked)
  return { because: `waits: ${reason}${message === '' ? '' : `: ${oneLine(message)}`}${of(who)}`, sections: [] }
}

const secretStates = { there: 'there', absent: 'does not exist', unreadable: 'you may not read it' } as const

function pullSecretLines(secrets: readonly PullSecret[]): readonly string[] {
  return secrets.length === 0 ? ['the pod names none (imagePullSecrets)'] : secrets.map(({ name, is }) => `${name}: ${secretStates[is]}`)
}

const about = (event: Readonly<Event>, container: string): boolean => event.involvedObject.fieldPath === undefined || event.involvedObject.fieldPath.includes(`{${container}}`)

/** A probe whose failure ended the container. */
function killedBy(events: readonly Readonly<Event>[], container: string): ReturnType<typeof failingProbe> {
  const killed = events.some((event) => event.reason === 'Killing' && about(event, container) && /failed (liveness|startup) probe/i.test(event.message ?? ''))
  return killed ? (failingProbe(events, container, ['Liveness', 'Startup']) ?? { kind: 'Liveness', message: 'no details' }) : undefined
}

function probeSection(container: Readonly<Container> | undefined, kind: ProbeKind | undefined): readonly Section[] {
  const probe = kind === undefined ? undefined : probeOf(container, kind)
  return section('probe', probe === undefined ? [] : [`${kind}: ${probeText(probe)}`])
}

async function unready(reader: Reader, { pod, events }: Looked, status: Readonly<ContainerStatus>, container: Readonly<Container> | undefined, who: string): Promise<Clause> {
  const waits: ProbeKind = status.started === false && container?.startupProbe !== undefined ? 'Startup' : 'Readiness'
  const failing = failingProbe(events, status.name, [waits]) ?? failingProbe(events, status.name, ['Startup', 'Readiness', 'Liveness'])
  const sections = [...probeSection(container, failing?.kind ?? waits), ...(await logOf(reader, pod, status.name, false))]
  const ended = status.lastState?.terminated
  if (failing !== undefined) return { because: `is not ready: the ${failing.kind.toLowerCase()} probe of its ${who === '' ? 'container' : who} fails: ${failing.message}`, sections }
  if (ended !== undefined && ended.exitCode !== 0) return { because: `is not ready yet: its ${who === '' ? 'container' : who} was started again; last it ${endText(ended, container)}`, sections }
  if (probeOf(container, waits) === undefined) return { because: `is not ready: its ${who === '' ? 'container' : who} runs, and its node has not called it ready`, sections }
  return { because: `is not ready yet: the ${waits.toLowerCase()} probe of its ${who === '' ? 'container' : who} has not passed`, sections }
}

const hindering = /^(FailedMount|FailedAttachVolume|FailedCreatePodSandBox|FailedCreatePodContainer|FailedPrepareDynamicResources|NetworkNotReady|FailedPodSandBoxStatus|FailedToCreateEndpoint|NodeNotReady|FailedBinding)$/

/** Nothing runs yet: what it needs is not there, or what the node told last. */
async function starting(reader: Reader, { pod, events }: Looked): Promise<Clause> {
  const missing = await missingReference(reader, pod)
  const told = events.filter(({ reason = '' }) => hindering.test(reason))
  const sections = section('what the node said', told.slice(0, 3).map(({ reason, message }) => `${reason}: ${message}`))
  if (missing !== undefined) return { because: missing, sections }
  const [last] = told
  if (last === undefined) return { because: `is being started on node ${pod.spec?.nodeName}`, sections }
  const what = last.reason === 'FailedMount' || last.reason === 'FailedAttachVolume' ? 'cannot get its volumes' : last.reason === 'FailedPrepareDynamicResources' ? 'cannot get its devices' : 'cannot be set up on its node'
  return { because: `${what}: ${oneLine(last.message ?? '')}`, sections }
}

function readinessGate(pod: Readonly<Pod>): Clause | undefined {
  const open = (pod.spec?.readinessGates ?? []).filter(({ conditionType }) => podCondition(pod, conditionType)?.status !== 'True')
  if (open.length === 0 || podCondition(pod, 'Ready')?.status === 'True') return undefined
  return { because: `is not ready: the readiness gate${open.length === 1 ? '' : 's'} ${open.map(({ conditionType }) => conditionType).join(', ')} ${open.length === 1 ? 'is' : 'are'} not set to True by whoever it waits for`, sections: [] }
}

async function logOf(reader: Reader, pod: Readonly<Pod>, container: string, previous: boolean): Promise<readonly Section[]> {
  const place = { namespace: pod.metadata.namespace ?? '', pod: pod.metadata.name ?? '', container, previous, lines: logLines }
  const lines = (await reader.log(place)) ?? (previous ? await reader.log({ ...place, previous: false }) : undefined)
  return section(`last lines of container ${container}`, lines ?? [])
}
