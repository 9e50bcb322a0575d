/** Defaults of the groups storage.k8s.io and scheduling.k8s.io. After k8s.io/kubernetes/pkg/apis/{storage,scheduling}/v1/defaults.go. */
import type * as k from '../types.ts'
import type { Rules } from '../defaults.ts'

export const storageDefaults = {
  StorageClass(storageClass: k.StorageClass) {
    storageClass.reclaimPolicy ??= 'Delete'
    storageClass.volumeBindingMode ??= 'Immediate'
  },
  CSIDriverSpec(spec: k.CSIDriverSpec) {
    spec.attachRequired ??= true
    spec.podInfoOnMount ??= false
    spec.storageCapacity ??= false
    spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType'
    spec.volumeLifecycleModes ??= ['Persistent']
    spec.requiresRepublish ??= false
    spec.seLinuxMount ??= false
  },
  PriorityClass(priorityClass: k.PriorityClass) {
    priorityClass.preemptionPolicy ??= 'PreemptLowerPriority'
  },
} satisfies Rules
