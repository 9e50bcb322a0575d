/** Names that upstream keeps for webhooks and policies read from files: they may be used, but are warned of. */
import type { KubeObject } from '../meta.ts'

const suffix = '.static.k8s.io'

export function staticNameWarnings({ metadata }: Readonly<KubeObject>): readonly string[] {
  if (metadata.name?.endsWith(suffix) !== true) return []
  return [`metadata.name: names ending with "${suffix}" are reserved for static manifest-based configurations and cannot be managed via the API`]
}
