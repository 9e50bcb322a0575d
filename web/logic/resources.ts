/** What the server serves, read from discovery, and where each kind stands in the menu. Pure. */
import { parseApiVersion } from '../../core/api/meta.ts'

export interface Resource {
  readonly group: string
  readonly version: string
  readonly resource: string
  readonly kind: string
  readonly namespaced: boolean
  readonly verbs: readonly string[]
  readonly shortNames: readonly string[]
}

/** apidiscovery.k8s.io/v2 APIGroupDiscoveryList. */
export interface Discovery {
  readonly items?: readonly {
    readonly metadata?: { readonly name?: string }
    readonly versions?: readonly {
      readonly version: string
      readonly resources?: readonly {
        readonly resource: string
        readonly responseKind?: { readonly kind: string }
        readonly scope: string
        readonly verbs: readonly string[]
        readonly shortNames?: readonly string[]
      }[]
    }[]
  }[]
}

/** Everything that can be listed; of several versions of one resource the first, which is the preferred one. */
export function resourcesOf(documents: readonly Discovery[]): readonly Resource[] {
  const found = new Map<string, Resource>()
  for (const { metadata, versions = [] } of documents.flatMap((document) => document.items ?? [])) {
    const group = metadata?.name ?? ''
    for (const { version, resources = [] } of versions) {
      for (const { resource, responseKind, scope, verbs, shortNames = [] } of resources) {
        const key = `${group}/${resource}`
        if (!verbs.includes('list') || found.has(key)) continue
        found.set(key, { group, version, resource, kind: responseKind?.kind ?? resource, namespaced: scope === 'Namespaced', verbs, shortNames })
      }
    }
  }
  // Events are served twice; one is enough.
  found.delete('events.k8s.io/events')
  return [...found.values()]
}

export function resourceOf(resources: readonly Resource[], reference: { readonly apiVersion?: string; readonly kind?: string }): Resource | undefined {
  const { group } = parseApiVersion(reference.apiVersion ?? 'v1')
  return resources.find((of) => of.group === group && of.kind === reference.kind)
}

export interface Section {
  readonly title: string
  readonly resources: readonly Resource[]
}

/** The menu, top to bottom. What is in none of these stands under its group's name, or under Custom. */
const sections: readonly { readonly title: string; readonly has: readonly string[] }[] = [
  { title: 'Cluster', has: ['/nodes', '/namespaces', '/events'] },
  { title: 'Workloads', has: ['/pods', 'apps/deployments', 'apps/statefulsets', 'apps/daemonsets', 'apps/replicasets', 'batch/jobs', 'batch/cronjobs', '/replicationcontrollers', 'autoscaling/horizontalpodautoscalers', 'policy/poddisruptionbudgets'] },
  { title: 'Network', has: ['/services', 'discovery.k8s.io/endpointslices', '/endpoints', 'networking.k8s.io/ingresses', 'networking.k8s.io/ingressclasses', 'networking.k8s.io/networkpolicies'] },
  { title: 'Configuration', has: ['/configmaps', '/secrets', '/resourcequotas', '/limitranges', 'scheduling.k8s.io/priorityclasses', 'node.k8s.io/runtimeclasses'] },
  { title: 'Storage', has: ['/persistentvolumeclaims', '/persistentvolumes', 'storage.k8s.io/storageclasses'] },
  { title: 'Access', has: ['/serviceaccounts', 'rbac.authorization.k8s.io/roles', 'rbac.authorization.k8s.io/rolebindings', 'rbac.authorization.k8s.io/clusterroles', 'rbac.authorization.k8s.io/clusterrolebindings', 'certificates.k8s.io/certificatesigningrequests'] },
]

export function menu(resources: readonly Resource[]): readonly Section[] {
  const left = new Map(resources.map((of) => [`${of.group}/${of.resource}`, of]))
  const known = sections.map(({ title, has }) => ({
    title,
    resources: has.flatMap((key) => {
      const found = left.get(key)
      left.delete(key)
      return found === undefined ? [] : [found]
    }),
  }))
  const byKind = (a: Resource, b: Resource): number => a.kind.localeCompare(b.kind)
  const isBuiltIn = ({ group }: Resource): boolean => !group.includes('.') || group.endsWith('.k8s.io')
  const others = [
    { title: 'Custom', resources: [...left.values()].filter((of) => !isBuiltIn(of)).toSorted(byKind) },
    { title: 'More', resources: [...left.values()].filter(isBuiltIn).toSorted(byKind) },
  ]
  return [...known, ...others].filter((section) => section.resources.length > 0)
}

/** NetworkPolicy, networkpolicies -> NetworkPolicies: how several of a kind are called. */
export function titleOf({ kind, resource }: Pick<Resource, 'kind' | 'resource'>): string {
  const common = commonStart(kind.toLowerCase(), resource)
  return kind.slice(0, common) + resource.slice(common)
}

function commonStart(a: string, b: string): number {
  let length = 0
  while (length < a.length && a[length] === b[length]) length++
  return length
}

/** Path of a collection, or of an object in it. */
export function apiPath({ group, version, resource, namespaced }: Resource, namespace: string, name?: string): string {
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
  const inside = namespaced && namespace !== '' ? `${root}/namespaces/${encodeURIComponent(namespace)}` : root
  return name === undefined ? `${inside}/${resource}` : `${inside}/${resource}/${encodeURIComponent(name)}`
}
