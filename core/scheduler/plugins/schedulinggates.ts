/** SchedulingGates: a pod with gates is not even tried; its events wake it when the last gate is gone. */
import type { Plugin } from '../framework.ts'

export const schedulingGates: Plugin = {
  name: 'SchedulingGates',
  filter: (pod) => ((pod.spec?.schedulingGates ?? []).length > 0 ? () => ({ reasons: ['waiting for scheduling gates'], unresolvable: true }) : undefined),
  wakes: (pod, event) => event.type === 'pod changed' && (pod.spec?.schedulingGates ?? []).length === 0,
}
