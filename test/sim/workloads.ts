/** Every kind of workload, with how many there may be and how likely each of them is. To add one: a file in workloads/, a line here. */
import type { WorkloadKind } from './workload.ts'
import { budgetWorkload } from './workloads/budget.ts'
import { cronJobWorkload } from './workloads/cronjob.ts'
import { daemonSetWorkload } from './workloads/daemonset.ts'
import { deploymentWorkload } from './workloads/deployment.ts'
import { deviceWorkload } from './workloads/devices.ts'
import { jobWorkload } from './workloads/job.ts'
import { priorityWorkload } from './workloads/priority.ts'
import { quotaWorkload } from './workloads/quota.ts'
import { replicaSetWorkload } from './workloads/replicaset.ts'
import { serviceWorkload } from './workloads/service.ts'
import { statefulSetWorkload } from './workloads/statefulset.ts'
import { tenantWorkload } from './workloads/tenant.ts'

export interface Offer {
  readonly kind: WorkloadKind
  readonly most: number
  readonly likelihood: number
}

/** Few a run: what goes wrong shall have few causes. */
export const offers: readonly Offer[] = [
  { kind: quotaWorkload, most: 1, likelihood: 0.15 }, // first: a quota counts from its beginning
  { kind: priorityWorkload, most: 1, likelihood: 0.15 },
  { kind: deploymentWorkload, most: 2, likelihood: 0.35 },
  { kind: replicaSetWorkload, most: 1, likelihood: 0.25 },
  { kind: statefulSetWorkload, most: 1, likelihood: 0.25 },
  { kind: daemonSetWorkload, most: 1, likelihood: 0.25 },
  { kind: jobWorkload, most: 2, likelihood: 0.25 },
  { kind: cronJobWorkload, most: 1, likelihood: 0.1 },
  { kind: deviceWorkload, most: 1, likelihood: 0.15 },
  { kind: tenantWorkload, most: 1, likelihood: 0.15 },
  { kind: serviceWorkload, most: 1, likelihood: 0.25 },
  { kind: budgetWorkload, most: 1, likelihood: 0.25 },
]
