/** SchedulingGates: a pod with gates is not tried until the last gate is gone. */
import type { Plugin } from '../framework.ts'

export const schedulingGates: Plugin = {
  name: 'SchedulingGates',
  gate(pod) {
    const gates = (pod.spec?.schedulingGates ?? []).map(({ name }) => name)
    return gates.length === 0 ? undefined : `waiting for scheduling gates: [${gates.join(' ')}]`
  },
}
