/** Who asks, and whether they may do what applying these files takes: the real server is asked, since it alone knows all of its authorizers. Reviews write nothing. */
import { selfSubjectReviews } from '../api/authentication/selfsubjectreview.ts'
import { selfSubjectAccessReviews } from '../api/authorization/selfsubjectaccessreview.ts'
import { isApiError } from '../api/errors.ts'
import type { Kind } from '../api/kind.ts'
import type { Client } from '../client/client.ts'
import type { Identity } from '../client/inprocess.ts'
import type { Ctx } from '../lib/ctx.ts'

export const applyAgent = 'kubectl-client-side-apply'

/** On their way at a time. */
const questionsMax = 8

export interface Act {
  readonly verb: 'get' | 'create' | 'patch' | 'delete'
  readonly kind: Kind
  readonly namespace: string
  readonly name: string
}

/** A server that does not say who asks is taken to speak to an administrator. */
export async function whoAmI(ctx: Ctx, client: Client): Promise<Identity> {
  try {
    const { status } = await client.create(ctx, selfSubjectReviews, { metadata: {} })
    return { name: status?.userInfo?.username ?? '', groups: status?.userInfo?.groups ?? [], agent: applyAgent }
  } catch (error) {
    if (!isApiError(error)) throw error
    return { name: 'system:admin', groups: ['system:masters'], agent: applyAgent }
  }
}

/** What the user may not do, by `actText`. */
export async function forbiddenActs(ctx: Ctx, client: Client, acts: readonly Act[]): Promise<ReadonlySet<string>> {
  const asked = new Map(acts.map((act) => [actText(act), act]))
  const denied = new Set<string>()
  const waiting = asked.entries()
  await Promise.all(Array.from({ length: questionsMax }, async () => {
    for (const [text, { verb, kind, namespace, name }] of waiting) {
      const resourceAttributes = { verb, group: kind.group, version: kind.version, resource: kind.plural, namespace, ...(verb === 'create' ? {} : { name }) }
      const { status } = await client.create(ctx, selfSubjectAccessReviews, { metadata: {}, spec: { resourceAttributes } })
      if (status?.allowed !== true) denied.add(text)
    }
  }))
  return denied
}

/** `create deployments.apps in namespace shop` */
export function actText({ verb, kind, namespace, name }: Act): string {
  const resource = kind.group === '' ? kind.plural : `${kind.plural}.${kind.group}`
  return `${verb} ${resource}${verb === 'create' ? '' : ` ${name}`}${namespace === '' ? '' : ` in namespace ${namespace}`}`
}
