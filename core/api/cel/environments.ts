/**
 * What all of Kubernetes' environments have in common, as of 1.36 (k8s.io/apiserver/pkg/cel/environment/base.go): rules of
 * custom resources, admission policies, match conditions and authentication start from here and add their variables.
 */
import { authorizerLibrary, authorizerSelectorsLibrary } from './library/authorizer.ts'
import { cidrLibrary } from './library/cidr.ts'
import { formatLibrary } from './library/format.ts'
import { ipLibrary } from './library/ip.ts'
import { jsonPatchLibrary } from './library/jsonpatch.ts'
import { listsLibrary } from './library/lists.ts'
import { listToolsLibrary } from './library/listtools.ts'
import { quantityLibrary } from './library/quantity.ts'
import { regexLibrary } from './library/regex.ts'
import { semverLibrary } from './library/semver.ts'
import { setsLibrary } from './library/sets.ts'
import { stringsLibrary } from './library/strings.ts'
import { urlsLibrary } from './library/url.ts'
import type { Library } from './library.ts'

/** In upstream's order. The standard library is the engine's own, and so are the optional types. */
export const kubernetesLibraries: readonly Library[] = [
  urlsLibrary,
  regexLibrary,
  listsLibrary,
  authorizerLibrary,
  quantityLibrary,
  stringsLibrary,
  setsLibrary,
  ipLibrary,
  cidrLibrary,
  formatLibrary,
  authorizerSelectorsLibrary,
  semverLibrary,
  listToolsLibrary,
]

/** Mutating admission policies write JSON patches. */
export const mutatingLibraries: readonly Library[] = [...kubernetesLibraries, jsonPatchLibrary]

/** What one evaluation may cost (k8s.io/apiserver/pkg/apis/cel). */
export const costPerCallMax = 1_000_000
