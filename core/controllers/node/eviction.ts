/** Taint eviction: deletes pods from nodes with NoExecute taints that they do not tolerate, or not any longer (upstream's tainteviction). */
import { nodes } from '../../api/core/node.ts'
import { pods } from '../../api/core/pod.ts'
import { noExecuteTaints, tolerationS } from '../../api/core/taints.ts'
import { isBeingDeleted, keyOf } from '../../api/meta.ts'
import type { Pod } from '../../api/schema/types.ts'
import { byNode, nodeIndex } from '../../client/lister.ts'
import { cloneJson, equalJson } from '../../lib/json.ts'
import { type Controller, serviceAccountIdentity } from '../controller.ts'
import { disrupted } from '../disruption/target.ts'
import { itself } from '../run.ts'

export const taintEvictionController: Controller = {
  name: 'taint-eviction-controller',
  identity: serviceAccountIdentity('node-controller'),
  workers: 8,
  setUp(env) {
    /** Since when a pod has been living on borrowed time; `over` once it has none left. */
    const since = new Map<string, number>()
    const over = -Infinity
    const podInformer = env.informers.of(pods)
    podInformer.addIndex(nodeIndex, byNode)
    const lister = podInformer.lister
    const nodeLister = env.read(nodes)
    const cancel = (pod: Readonly<Pod>): void => {
      const begun = since.get(pod.metadata.uid ?? '') ?? over
      since.delete(pod.metadata.uid ?? '')
      if (begun !== over) env.recorder.event(pods, pod, 'Normal', 'TaintManagerEviction', `Cancelling deletion of Pod ${itself(pod).join('')}`)
    }
    const add = (pod: Readonly<Pod>): void => itself(pod).forEach(env.queue.add.bind(env.queue))
    podInformer.on({
      added: add,
      updated: (next, prev) => (next.spec?.nodeName === prev.spec?.nodeName && equalJson(next.spec?.tolerations, prev.spec?.tolerations) ? undefined : add(next)),
      deleted: cancel,
    })
    env.informers.of(nodes).on({
      added: (node) => lister.by(nodeIndex, node.metadata.name ?? '').forEach(add),
      updated: (next, prev) => {
        if (!equalJson(noExecuteTaints(next), noExecuteTaints(prev))) lister.by(nodeIndex, next.metadata.name ?? '').forEach(add)
      },
    })

    return async (ctx, key, client) => {
      const pod = lister.at(key)
      if (pod === undefined || isBeingDeleted(pod) || (pod.spec?.nodeName ?? '') === '') return
      const uid = pod.metadata.uid ?? ''
      const node = nodeLister.at(pod.spec?.nodeName ?? '')
      const taints = node === undefined ? [] : noExecuteTaints(node)
      const staysS = taints.length === 0 ? undefined : tolerationS(taints, pod.spec?.tolerations)
      if (staysS === undefined) return cancel(pod)
      const now = env.clock.now()
      const due = (since.get(uid) ?? now) + staysS * 1_000
      if (due > now) {
        since.set(uid, since.get(uid) ?? now)
        return env.queue.after(key, due - now)
      }
      if (staysS === 0) cancel(pod) // what was borrowed is not waited for
      if (since.get(uid) !== over) env.recorder.event(pods, pod, 'Normal', 'TaintManagerEviction', `Marking for deletion Pod ${key}`)
      since.set(uid, over)
      const status = disrupted(pod, 'DeletionByTaintManager', 'Taint manager: deleting due to NoExecute taint', now)
      if (status !== undefined) await client.update(ctx, pods, { ...cloneJson(pod), status }, { subresource: 'status' })
      await client.delete(ctx, pods, keyOf(pod), { preconditions: { uid } })
      since.delete(uid)
    }
  },
}
