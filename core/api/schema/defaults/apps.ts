/** Defaults of the group apps. After k8s.io/kubernetes/pkg/apis/apps/v1/defaults.go. */
import type * as k from '../types.ts'
import type { Rules } from '../defaults.ts'

export const appsDefaults = {
  DeploymentSpec(spec: k.DeploymentSpec) {
    spec.replicas ??= 1
    const strategy = (spec.strategy ??= {})
    strategy.type ??= 'RollingUpdate'
    if (strategy.type === 'RollingUpdate') {
      const update = (strategy.rollingUpdate ??= {})
      update.maxUnavailable ??= '25%'
      update.maxSurge ??= '25%'
    }
    spec.revisionHistoryLimit ??= 10
    spec.progressDeadlineSeconds ??= 600
  },
  DaemonSetSpec(spec: k.DaemonSetSpec) {
    const strategy = (spec.updateStrategy ??= {})
    strategy.type ??= 'RollingUpdate'
    if (strategy.type === 'RollingUpdate') {
      const update = (strategy.rollingUpdate ??= {})
      update.maxUnavailable ??= 1
      update.maxSurge ??= 0
    }
    spec.revisionHistoryLimit ??= 10
  },
  StatefulSetSpec(spec: k.StatefulSetSpec) {
    spec.podManagementPolicy ??= 'OrderedReady'
    const strategy = (spec.updateStrategy ??= {})
    if (strategy.type === undefined) {
      strategy.type = 'RollingUpdate'
      strategy.rollingUpdate ??= {}
    }
    if (strategy.type === 'RollingUpdate' && strategy.rollingUpdate !== undefined) {
      strategy.rollingUpdate.partition ??= 0
    }
    const retention = (spec.persistentVolumeClaimRetentionPolicy ??= {})
    retention.whenDeleted ??= 'Retain'
    retention.whenScaled ??= 'Retain'
    spec.replicas ??= 1
    spec.revisionHistoryLimit ??= 10
  },
  ReplicaSetSpec(spec: k.ReplicaSetSpec) {
    spec.replicas ??= 1
  },
} satisfies Rules
