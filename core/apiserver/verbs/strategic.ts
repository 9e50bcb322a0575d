/** Strategic merge patches: the schema of the target brings the merge keys, core/api/patch/strategic.ts merges. */
import type { AnyObject } from '../../api/meta.ts'
import { mergeStrategically, type StrategicMerge } from '../../api/patch/strategic.ts'
import { definitionOf } from '../../api/schema/schema.ts'
import type { Target } from '../deps.ts'

export function strategicPatch(live: AnyObject, patch: unknown, target: Target): StrategicMerge {
  return mergeStrategically(live, patch, definitionOf(target.group, target.version, target.kind))
}
