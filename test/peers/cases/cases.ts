/** Every group, in order. Each uses a namespace of its own, so the order does not matter to them. */
import type { CaseGroup } from '../case.ts'
import { access } from './access.ts'
import { apply } from './apply.ts'
import { bodies } from './bodies.ts'
import { columns } from './columns.ts'
import { definitions } from './definitions.ts'
import { devices } from './devices.ts'
import { discovery } from './discovery.ts'
import { invalidKinds } from './invalid.ts'
import { kinds } from './kinds.ts'
import { patches } from './patches.ts'
import { policies } from './policies.ts'
import { policyRules } from './policyrules.ts'
import { queries, waits } from './queries.ts'
import { reviews } from './reviews.ts'
import { writes } from './writes.ts'

export const groups: readonly CaseGroup[] = [bodies, queries, waits, access, reviews, writes, patches, apply, invalidKinds, definitions, policyRules, policies, kinds, columns, devices, discovery]
