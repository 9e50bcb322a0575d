/**
 * Takes back the condition DisruptionTarget of a pod that was to be ended and, two minutes later, still is not on its way
 * out: whoever meant to end it did not. Not what a kubelet said of its own pods: it may take its time.
 */
import { isPodTerminal, podCondition } from '../../api/core/podstate.ts'
import { pods } from '../../api/core/pod.ts'
import { isBeingDeleted } from '../../api/meta.ts'
import type { Pod, PodStatus } from '../../api/schema/types.ts'
import { formatTime, parseTime } from '../../api/time.ts'
import { cloneJson } from '../../lib/json.ts'
import type { Controller } from '../controller.ts'
import { itself } from '../run.ts'

const staleMs = 120_000

export const staleDisruptions: Controller = {
  name: 'disruption-controller',
  workers: 1,
  setUp(env) {
    const lister = env.watch(pods, (pod) => (staleInMs(pod, 0) === undefined ? [] : itself(pod)))

    return async (ctx, key, client) => {
      const pod = lister.at(key)
      const waitMs = pod === undefined ? undefined : staleInMs(pod, env.clock.now())
      if (pod === undefined || waitMs === undefined) return
      if (waitMs > 0) return env.queue.after(key, waitMs)
      await client.update(ctx, pods, { ...cloneJson(pod), status: takenBack(pod, env.clock.now()) }, { subresource: 'status' })
    }
  },
}

/** Milliseconds until its condition is stale; undefined where there is none that could be. */
function staleInMs(pod: Readonly<Pod>, nowMs: number): number | undefined {
  const target = podCondition(pod, 'DisruptionTarget')
  if (target?.status !== 'True' || target.reason === 'TerminationByKubelet' || isBeingDeleted(pod) || isPodTerminal(pod)) return undefined
  return Math.max(0, (parseTime(target.lastTransitionTime ?? '') ?? 0) + staleMs - nowMs)
}

function takenBack({ status, metadata: { generation } }: Readonly<Pod>, nowMs: number): PodStatus {
  const condition = { type: 'DisruptionTarget', status: 'False', lastTransitionTime: formatTime(nowMs), ...(generation === undefined ? {} : { observedGeneration: generation }) }
  return { ...status, conditions: (status?.conditions ?? []).map((c) => (c.type === 'DisruptionTarget' ? condition : c)) }
}
