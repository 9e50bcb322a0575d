/** Every invariant. To add one: a file in invariants/, a line here. */
import type { Invariant } from './invariant.ts'
import { boundOnce, boundWhereItFits } from './invariants/bindings.ts'
import { evictionsArePaidFor } from './invariants/budgets.ts'
import { oneJobAtATime } from './invariants/cronjobs.ts'
import { oneDaemonANode } from './invariants/daemons.ts'
import { endpointsExist } from './invariants/endpoints.ts'
import { podsCountOnce } from './invariants/jobs.ts'
import { everybodyHasAnOwner } from './invariants/owners.ts'
import { quotasHold } from './invariants/quotas.ts'
import { noSurplusPods, noSurplusSets } from './invariants/replicas.ts'

export const invariants: readonly Invariant[] = [
  boundOnce,
  boundWhereItFits,
  noSurplusPods,
  noSurplusSets,
  oneDaemonANode,
  podsCountOnce,
  oneJobAtATime,
  evictionsArePaidFor,
  quotasHold,
  endpointsExist,
  everybodyHasAnOwner,
]
