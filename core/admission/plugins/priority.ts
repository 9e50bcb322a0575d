/** Priority: the number behind a pod's priority class, and at most one class that is the default (plugin/pkg/admission/priority). */
import type { ApiError } from '../../api/errors.ts'
import { priorityClasses } from '../../api/scheduling/priorityclass.ts'
import type { Pod, PriorityClass } from '../../api/schema/types.ts'
import type { Lookup } from '../../auth/lookup.ts'
import { isAbout, objectOf, oldObjectOf, refuse, type AdmissionDeps } from '../deps.ts'
import type { AdmissionPlugin, AdmissionRequest } from '../plugin.ts'

export function priority({ lookup }: AdmissionDeps): AdmissionPlugin {
  return {
    name: 'Priority',
    handles: (request) => (request.operation === 'CREATE' || request.operation === 'UPDATE')
      && (isAbout(request, '', 'pods') || isAbout(request, 'scheduling.k8s.io', 'priorityclasses')),
    async mutate(_ctx, request) {
      if (request.kind.plural !== 'pods') return undefined
      return request.operation === 'CREATE' ? setPriority(lookup, request) : keepPriority(request)
    },
    async validate(_ctx, request) {
      if (request.kind.plural !== 'priorityclasses' || objectOf<PriorityClass>(request).globalDefault !== true) return undefined
      const other = defaultClass(lookup)
      if (other === undefined || (request.operation === 'UPDATE' && other.metadata.name === request.object?.metadata.name)) return undefined
      return refuse(request, `PriorityClass ${other.metadata.name} is already marked as default. Only one default can exist`)
    },
  }
}

function setPriority(lookup: Lookup, request: AdmissionRequest): ApiError | undefined {
  const spec = objectOf<Pod>(request).spec
  if (spec === undefined) return undefined
  const name = spec.priorityClassName ?? ''
  const found = name === '' ? defaultClass(lookup) : lookup.get(priorityClasses, { namespace: '', name })
  if (found === undefined && name !== '') return refuse(request, `no PriorityClass with name ${name} was found`)
  const value = found?.value ?? 0
  const policy = found === undefined ? 'PreemptLowerPriority' : found.preemptionPolicy
  if (found?.metadata.name !== undefined) spec.priorityClassName = found.metadata.name
  if (spec.priority !== undefined && spec.priority !== value) {
    return refuse(request, `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`)
  }
  if (policy !== undefined && spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy) {
    return refuse(request, `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`)
  }
  spec.priority = value
  if (policy !== undefined) spec.preemptionPolicy = policy
  return undefined
}

/** Clients that do not know the fields drop them from an update. */
function keepPriority(request: AdmissionRequest): undefined {
  const [spec, old] = [objectOf<Pod>(request).spec, oldObjectOf<Pod>(request).spec]
  if (spec === undefined) return
  if (spec.priority === undefined && old?.priority !== undefined) spec.priority = old.priority
  if (spec.preemptionPolicy === undefined && old?.preemptionPolicy !== undefined) spec.preemptionPolicy = old.preemptionPolicy
}

/** Should a race have made two, the lower one. */
function defaultClass(lookup: Lookup): Readonly<PriorityClass> | undefined {
  return lookup.list(priorityClasses).filter((c) => c.globalDefault === true).toSorted((a, b) => (a.value ?? 0) - (b.value ?? 0))[0]
}
