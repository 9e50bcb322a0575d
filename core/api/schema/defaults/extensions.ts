/** Defaults of CustomResourceDefinitions and APIServices. After apiextensions-apiserver's and kube-aggregator's defaults.go. */
import type * as k from '../types.ts'
import type { Rules } from '../defaults.ts'

export const extensionsDefaults = {
  CustomResourceDefinition(crd: k.CustomResourceDefinition) {
    const { names } = crd.spec
    if (names !== undefined) {
      names.singular ??= names.kind.toLowerCase()
      if (names.kind !== '') names.listKind ??= `${names.kind}List`
    }
    crd.spec.conversion ??= { strategy: 'None' }
    const status = (crd.status ??= {})
    const stored = crd.spec.versions?.find((version) => version.storage)
    if ((status.storedVersions ?? []).length === 0 && stored !== undefined) status.storedVersions = [stored.name]
  },
  ApiextensionsV1ServiceReference: defaultPort,
  ApiregistrationV1ServiceReference: defaultPort,
} satisfies Rules

function defaultPort(reference: { port?: number }): void {
  reference.port ??= 443
}
