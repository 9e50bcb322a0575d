/** Defaults of the group flowcontrol.apiserver.k8s.io. After k8s.io/kubernetes/pkg/apis/flowcontrol/v1/defaults.go. */
import type * as k from '../types.ts'
import type { Rules } from '../defaults.ts'

export const flowcontrolDefaults = {
  FlowSchemaSpec(spec: k.FlowSchemaSpec) {
    if ((spec.matchingPrecedence ?? 0) === 0) spec.matchingPrecedence = 1_000
  },
  ExemptPriorityLevelConfiguration(level: k.ExemptPriorityLevelConfiguration) {
    level.nominalConcurrencyShares ??= 0
    level.lendablePercent ??= 0
  },
  LimitedPriorityLevelConfiguration(level: k.LimitedPriorityLevelConfiguration) {
    level.nominalConcurrencyShares ??= 30
    level.lendablePercent ??= 0
  },
  QueuingConfiguration(queuing: k.QueuingConfiguration) {
    if ((queuing.handSize ?? 0) === 0) queuing.handSize = 8
    if ((queuing.queues ?? 0) === 0) queuing.queues = 64
    if ((queuing.queueLengthLimit ?? 0) === 0) queuing.queueLengthLimit = 50
  },
} satisfies Rules
