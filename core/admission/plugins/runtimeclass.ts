/** RuntimeClass: a pod's overhead and placement follow from its runtime class (plugin/pkg/admission/runtimeclass). */
import { isDeepStrictEqual } from 'node:util'
import type { ApiError } from '../../api/errors.ts'
import { compareQuantities } from '../../api/quantity.ts'
import { runtimeClasses } from '../../api/node/runtimeclass.ts'
import type { Pod, RuntimeClass, Toleration } from '../../api/schema/types.ts'
import type { Lookup } from '../../auth/lookup.ts'
import { isAbout, objectOf, refuse, type AdmissionDeps } from '../deps.ts'
import type { AdmissionPlugin, AdmissionRequest } from '../plugin.ts'

type Amounts = Readonly<Record<string, string | number>>

export function runtimeClass({ lookup }: AdmissionDeps): AdmissionPlugin {
  return {
    name: 'RuntimeClass',
    handles: (request) => request.operation === 'CREATE' && isAbout(request, '', 'pods'),
    async mutate(_ctx, request) {
      const found = classOf(lookup, request)
      if (found === undefined || found instanceof Error) return found
      return setOverhead(request, found) ?? setScheduling(request, found)
    },
    async validate(_ctx, request) {
      const found = classOf(lookup, request)
      if (found instanceof Error) return found
      const [want, have] = [found?.overhead?.podFixed, objectOf<Pod>(request).spec?.overhead]
      if (found?.overhead === undefined) {
        return have === undefined ? undefined : refuse(request, 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead')
      }
      return same(want ?? {}, have ?? {}) ? undefined : refuse(request, mismatch)
    },
  }
}

const mismatch = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"

function classOf(lookup: Lookup, request: AdmissionRequest): Readonly<RuntimeClass> | ApiError | undefined {
  const name = objectOf<Pod>(request).spec?.runtimeClassName
  if (name === undefined) return undefined
  return lookup.get(runtimeClasses, { namespace: '', name }) ?? refuse(request, `pod rejected: RuntimeClass ${JSON.stringify(name)} not found`)
}

function setOverhead(request: AdmissionRequest, found: Readonly<RuntimeClass>): ApiError | undefined {
  const [spec, want] = [objectOf<Pod>(request).spec, found.overhead?.podFixed]
  if (spec === undefined || want === undefined) return undefined
  if (Object.keys(spec.overhead ?? {}).length > 0 && !same(want, spec.overhead ?? {})) return refuse(request, mismatch)
  spec.overhead = { ...want }
  return undefined
}

function setScheduling(request: AdmissionRequest, found: Readonly<RuntimeClass>): ApiError | undefined {
  const [spec, scheduling] = [objectOf<Pod>(request).spec, found.scheduling]
  if (spec === undefined || scheduling === undefined) return undefined
  for (const [key, value] of Object.entries(scheduling.nodeSelector ?? {})) {
    const own = spec.nodeSelector?.[key]
    if (own !== undefined && own !== value) {
      return refuse(request, `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own}`)
    }
  }
  if (scheduling.nodeSelector !== undefined) spec.nodeSelector = { ...spec.nodeSelector, ...scheduling.nodeSelector }
  const own: readonly Toleration[] = spec.tolerations ?? []
  const more = (scheduling.tolerations ?? []).filter((t) => !own.some((o) => isDeepStrictEqual(o, t)))
  if (more.length > 0) spec.tolerations = [...own, ...structuredClone(more)]
  return undefined
}

function same(a: Amounts, b: Amounts): boolean {
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((n) => b[n] !== undefined && compareQuantities(a[n] ?? 0, b[n] ?? 0) === 0)
}
