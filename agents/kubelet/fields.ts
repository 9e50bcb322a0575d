/** The downward API: fields of a pod and resources of a container as text (pkg/fieldpath, pkg/api/v1/resource). Pure. */
import type { Container, ObjectFieldSelector, Pod, ResourceFieldSelector } from '../../core/api/schema/types.ts'
import { milli, units } from './resources.ts'

/** What a pod's spec does not tell about itself. */
export interface FieldEnv {
  readonly hostIPs: readonly string[]
  readonly podIPs: readonly string[]
  /** What a container without a limit may use at most. */
  readonly allocatable: Readonly<Record<string, string>>
}

export function fieldValue(pod: Readonly<Pod>, selector: Readonly<ObjectFieldSelector>, env: FieldEnv): string {
  const path = selector.fieldPath
  const subscript = /^(metadata\.(?:labels|annotations))\['(.*)'\]$/.exec(path)
  if (subscript !== null) {
    const map = subscript[1] === 'metadata.labels' ? pod.metadata.labels : pod.metadata.annotations
    return map?.[subscript[2] ?? ''] ?? ''
  }
  switch (path) {
    case 'metadata.name':
      return pod.metadata.name ?? ''
    case 'metadata.namespace':
      return pod.metadata.namespace ?? ''
    case 'metadata.uid':
      return pod.metadata.uid ?? ''
    case 'metadata.labels':
      return formatMap(pod.metadata.labels)
    case 'metadata.annotations':
      return formatMap(pod.metadata.annotations)
    case 'spec.nodeName':
      return pod.spec?.nodeName ?? ''
    case 'spec.serviceAccountName':
      return pod.spec?.serviceAccountName ?? ''
    case 'status.hostIP':
      return env.hostIPs[0] ?? ''
    case 'status.hostIPs':
      return env.hostIPs.join(',')
    case 'status.podIP':
      return env.podIPs[0] ?? ''
    case 'status.podIPs':
      return env.podIPs.join(',')
    default:
      throw new Error(`unsupported fieldPath: ${path}`)
  }
}

/** Sorted `key="value"` lines, quoted as Go quotes. */
function formatMap(map: Readonly<Record<string, string>> | undefined): string {
  return Object.entries(map ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => `${key}=${JSON.stringify(value)}`).join('\n')
}

export function resourceValue(container: Readonly<Container>, selector: Readonly<ResourceFieldSelector>, env: FieldEnv): string {
  const [list, ...rest] = selector.resource.split('.')
  const name = rest.join('.')
  const { limits, requests } = container.resources ?? {}
  const amount = list === 'limits' ? (limits?.[name] ?? env.allocatable[name]) : list === 'requests' ? (requests?.[name] ?? '0') : undefined
  if (amount === undefined && !supported.test(name)) throw new Error(`unsupported container resource : ${selector.resource}`)
  const divisor = selector.divisor === undefined || selector.divisor === '0' ? '1' : selector.divisor
  const value = name === 'cpu' ? Math.ceil(milli(amount) / milli(divisor)) : Math.ceil(units(amount) / units(divisor))
  return String(value)
}

const supported = /^(cpu|memory|ephemeral-storage|hugepages-.*)$/
