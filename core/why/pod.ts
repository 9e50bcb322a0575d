/** Why a pod does not run: asked in the order in which a pod comes to run. Undefined: it does, or has done its work. */
import { nodes } from '../api/core/node.ts'
import { isPodReady } from '../api/core/podstate.ts'
import { since } from '../api/age.ts'
import { isBeingDeleted } from '../api/meta.ts'
import type { Pod } from '../api/schema/types.ts'
import { claimTrouble } from './claim.ts'
import { containerTrouble } from './containers.ts'
import { endText, oneLine } from './crash.ts'
import { heldDeletion } from './deletion.ts'
import { section, type Finding } from './finding.ts'
import { nodeClause } from './node.ts'
import type { Reader } from './reader.ts'
import { unscheduled } from './scheduling.ts'

type Clause = Omit<Finding, 'about'>

export async function whyPod(reader: Reader, pod: Readonly<Pod>): Promise<Clause | undefined> {
  if (isBeingDeleted(pod)) return (await heldDeletion(reader, pod as never)) ?? (await leaving(reader, pod))
  if (pod.status?.phase === 'Succeeded') return undefined
  if (pod.status?.phase === 'Failed') return failed(pod)
  if ((pod.spec?.nodeName ?? '') === '') {
    const gated = (pod.spec?.schedulingGates ?? []).length > 0
    return (gated ? undefined : await claimTrouble(reader, pod)) ?? (await unscheduled(reader, pod))
  }
  const place = await nodeTrouble(reader, pod)
  if (place !== undefined) return place
  if (isPodReady(pod)) return undefined
  const trouble = await containerTrouble(reader, pod)
  if (trouble !== undefined) return trouble
  return { because: `is not ready, and its node ${pod.spec?.nodeName} does not say why`, sections: [] }
}

/** What a healthy pod does. */
export function podState(pod: Readonly<Pod>): string {
  if (pod.status?.phase === 'Succeeded') return 'has done its work'
  const restarts = (pod.status?.containerStatuses ?? []).filter(({ restartCount }) => (restartCount ?? 0) > 0)
  const once = restarts[0]
  const ended = once?.lastState?.terminated
  const before = once === undefined || ended === undefined ? '' : `; its container ${once.name} was started again ${once.restartCount === 1 ? 'once' : `${once.restartCount} times`}, last it ${endText(ended, pod.spec?.containers.find(({ name }) => name === once.name))}`
  return `runs on node ${pod.spec?.nodeName} and is ready${before}`
}

function failed(pod: Readonly<Pod>): Clause {
  const { reason = '', message = '' } = pod.status ?? {}
  const conditions = section('conditions', (pod.status?.conditions ?? []).filter(({ type }) => type === 'DisruptionTarget').map((of) => `${of.type} ${of.reason}: ${of.message}`))
  if (reason === 'Evicted') return { because: `was evicted from node ${pod.spec?.nodeName}: ${oneLine(message)}`, sections: conditions }
  if (reason === 'DeadlineExceeded') return { because: `was ended after its activeDeadlineSeconds of ${pod.spec?.activeDeadlineSeconds ?? '?'}`, sections: conditions }
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])]
  const bad = statuses.find(({ state }) => (state?.terminated?.exitCode ?? 0) !== 0)
  const terminated = bad?.state?.terminated
  if (terminated !== undefined) {
    const container = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].find(({ name }) => name === bad?.name)
    return { because: `has failed: its container ${bad?.name} ${endText(terminated, container)}`, sections: conditions }
  }
  return { because: `has failed${reason === '' ? '' : `: ${reason}`}${message === '' ? '' : `: ${oneLine(message)}`}`, sections: conditions }
}

async function nodeTrouble(reader: Reader, pod: Readonly<Pod>): Promise<Clause | undefined> {
  const name = pod.spec?.nodeName ?? ''
  const node = await reader.get(nodes, name)
  if (node === 'absent') return { because: `is bound to node ${name}, which does not exist`, sections: [] }
  if (node === 'unreadable') return undefined
  const wrong = nodeClause(node, reader.now)
  // Of what else is wrong there, pods that run may take no notice.
  const matters = wrong !== undefined && (/^is silent|^has never/.test(wrong) || !isPodReady(pod))
  return matters ? { because: `is on node ${name}, which ${wrong}`, sections: [] } : undefined
}

async function leaving(reader: Reader, pod: Readonly<Pod>): Promise<Clause> {
  const { deletionTimestamp = '', deletionGracePeriodSeconds: graceS = 30 } = pod.metadata
  const place = await nodeTrouble(reader, pod)
  const overMs = reader.now - Date.parse(deletionTimestamp)
  if (place !== undefined && overMs >= 0) return { because: `is being deleted and ${place.because}: nobody confirms that its containers have stopped`, sections: section('what would help', ['bring the node back; or, when its machine is off for sure, taint it node.kubernetes.io/out-of-service, or delete the pod with grace 0']) }
  if (overMs < 0) return { because: `is being deleted: its containers have ${graceS}s to stop, ${Math.ceil(-overMs / 1_000)}s are left`, sections: [] }
  return { because: `should be gone since ${since(deletionTimestamp, reader.now)}: node ${pod.spec?.nodeName} has not said yet that its containers have stopped`, sections: [] }
}
