/**
 * Definitions that upstream's servers read or write and its published OpenAPI leaves out: what goes to webhooks, the
 * options in queries, partial and table answers, aggregated discovery.
 */
import type { GroupVersionKind } from './swagger.ts'

function of(pkg: string, group: string, version: string, kinds: readonly string[]): [string, GroupVersionKind[]][] {
  return kinds.map((kind) => [`${pkg}.${kind}`, [{ group, version, kind }]])
}

function parts(pkg: string, names: readonly string[]): [string, GroupVersionKind[]][] {
  return names.map((name) => [`${pkg}.${name}`, []])
}

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1'
const admission = 'io.k8s.api.admission.v1'
const extensions = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1'
const discovery = 'io.k8s.api.apidiscovery.v2'

/** In an order where each one's name is known before it is referred to. */
export const unpublished: readonly [string, GroupVersionKind[]][] = [
  ...parts(meta, ['GroupVersionKind', 'GroupVersionResource', 'TableColumnDefinition', 'TableRowCondition', 'TableRow']),
  ...of(meta, 'meta.k8s.io', 'v1', ['PartialObjectMetadata', 'PartialObjectMetadataList', 'Table', 'CreateOptions',
    'GetOptions', 'ListOptions', 'UpdateOptions', 'PatchOptions', 'TableOptions']),
  ...parts(admission, ['AdmissionRequest', 'AdmissionResponse']),
  ...of(admission, 'admission.k8s.io', 'v1', ['AdmissionReview']),
  ...parts(extensions, ['ConversionRequest', 'ConversionResponse']),
  ...of(extensions, 'apiextensions.k8s.io', 'v1', ['ConversionReview']),
  ...parts(discovery, ['APISubresourceDiscovery', 'APIResourceDiscovery', 'APIVersionDiscovery']),
  ...of(discovery, 'apidiscovery.k8s.io', 'v2', ['APIGroupDiscovery', 'APIGroupDiscoveryList']),
]
