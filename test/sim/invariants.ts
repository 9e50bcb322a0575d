/** Every invariant. To add one: a file in invariants/, a line here. */
import type { Invariant } from './invariant.ts'
import { boundOnce, boundWhereItFits } from './invariants/bindings.ts'
import { evictionsArePaidFor, evictionsLeaveEnough } from './invariants/budgets.ts'
import { oneJobAtATime } from './invariants/cronjobs.ts'
import { oneDaemonANode } from './invariants/daemons.ts'
import { oneClaimADevice } from './invariants/devices.ts'
import { endpointsExist } from './invariants/endpoints.ts'
import { indexesSucceedOnce, podsCountOnce } from './invariants/jobs.ts'
import { goneNamespacesAreEmpty } from './invariants/namespaces.ts'
import { everybodyHasAnOwner } from './invariants/owners.ts'
import { onlyLowerGive } from './invariants/preemption.ts'
import { quotasHold } from './invariants/quotas.ts'
import { noSurplusPods, noSurplusSets } from './invariants/replicas.ts'
import { spreadHolds } from './invariants/spread.ts'
import { boundWhereVolumesAre, oneClaimAVolume } from './invariants/volumes.ts'

export const invariants: readonly Invariant[] = [
  boundOnce,
  boundWhereItFits,
  boundWhereVolumesAre,
  spreadHolds,
  onlyLowerGive,
  noSurplusPods,
  noSurplusSets,
  oneDaemonANode,
  podsCountOnce,
  indexesSucceedOnce,
  oneJobAtATime,
  evictionsArePaidFor,
  evictionsLeaveEnough,
  quotasHold,
  oneClaimAVolume,
  oneClaimADevice,
  endpointsExist,
  everybodyHasAnOwner,
  goneNamespacesAreEmpty,
]
