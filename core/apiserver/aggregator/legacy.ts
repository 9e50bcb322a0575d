/** The old form of discovery (APIResourceList), turned into the aggregated one: for servers that know no other (k8s.io/apiserver/pkg/endpoints). */
import type { APIResource, APIResourceDiscovery, APISubresourceDiscovery, GroupVersionKind } from '../../api/schema/types.ts'

/** Throws when a subresource has another scope than its resource. */
export function resourcesOf(list: readonly Readonly<APIResource>[]): APIResourceDiscovery[] {
  const byName = new Map<string, APIResourceDiscovery>()
  for (const of of list) if (!of.name.includes('/')) byName.set(of.name, resourceOf(of))
  for (const of of list) {
    const slash = of.name.indexOf('/')
    if (slash < 0) continue
    const [name, subresource] = [of.name.slice(0, slash), of.name.slice(slash + 1)]
    const parent = byName.get(name) ?? { resource: name, responseKind: nothing, scope: scopeOf(of), singularResource: '', verbs: [] }
    byName.set(name, parent)
    if (parent.scope !== scopeOf(of)) throw new Error(`parent ${name} (scope: ${parent.scope}) and subresource ${subresource} (scope: ${scopeOf(of)}) scope do not match`)
    parent.subresources = [...(parent.subresources ?? []), subresourceOf(subresource, of)]
  }
  return [...byName.values()]
}

const nothing = { group: '', version: '', kind: '' }

function resourceOf(of: Readonly<APIResource>): APIResourceDiscovery {
  return {
    resource: of.name,
    responseKind: kindOf(of),
    scope: scopeOf(of),
    singularResource: of.singularName,
    verbs: of.verbs,
    ...(of.shortNames === undefined ? {} : { shortNames: of.shortNames }),
    ...(of.categories === undefined ? {} : { categories: of.categories }),
  }
}

function subresourceOf(subresource: string, of: Readonly<APIResource>): APISubresourceDiscovery {
  return { subresource, responseKind: of.kind === '' ? nothing : kindOf(of), verbs: of.verbs }
}

function kindOf({ group = '', version = '', kind }: Readonly<APIResource>): GroupVersionKind {
  return { group, version, kind }
}

function scopeOf({ namespaced }: Readonly<APIResource>): string {
  return namespaced ? 'Namespaced' : 'Cluster'
}
