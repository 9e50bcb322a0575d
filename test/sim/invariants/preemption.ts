/** Only what is less important is pushed aside: for a pod that waits, or did a moment ago. */
import { podCondition } from '../../../core/api/core/podstate.ts'
import type { Pod } from '../../../core/api/schema/types.ts'
import type { Invariant } from '../invariant.ts'

const isPreempted = (pod: Readonly<Pod> | undefined): boolean => pod !== undefined && podCondition(pod, 'DisruptionTarget')?.reason === 'PreemptionByScheduler'

export const onlyLowerGive: Invariant = {
  name: 'nobody is preempted but for a pod of higher priority',
  begin({ lateMs }) {
    /** Pods that wait for a node, and since when those that did no longer do. */
    const waiting = new Map<string, { readonly priority: number; readonly until: number }>()
    return {
      after({ prefix, type, key, object, prev, atMs }) {
        if (prefix !== 'pods') return undefined
        const pod = object as Pod
        const priority = pod.spec?.priority ?? 0
        const uid = pod.metadata.uid ?? ''
        if (type !== 'deleted' && (pod.spec?.nodeName ?? '') === '') waiting.set(uid, { priority, until: Infinity })
        else if (waiting.get(uid)?.until === Infinity) waiting.set(uid, { priority, until: atMs })
        if (!isPreempted(pod) || (prev?.metadata.uid === uid && isPreempted(prev as Pod))) return undefined
        const highest = Math.max(...[...waiting.values()].filter(({ until }) => atMs - until <= lateMs).map(({ priority: of }) => of))
        return highest > priority ? undefined : `${key} of priority ${priority} was preempted, the highest that waits has ${highest}`
      },
    }
  },
}
