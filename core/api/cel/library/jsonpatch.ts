/** kubernetes.jsonpatch: keys for JSON patches (k8s.io/apiserver/pkg/cel/library/jsonpatch.go). Only mutating admission policies have it. */
import type { Library } from '../library.ts'
import { string } from '../type.ts'
import { sameSizeEstimate, traversalCost } from './cost.ts'
import { declare, overload } from './declare.ts'

export const jsonPatchLibrary: Library = {
  name: 'kubernetes.jsonpatch',
  functions: [
    declare('jsonpatch.escapeKey', overload('string_jsonpatch_escapeKey_string', [string], string, escapeKey, { cost: traversalCost(), estimate: sameSizeEstimate })),
  ],
}

function escapeKey(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1')
}
