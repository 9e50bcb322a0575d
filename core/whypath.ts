/**
 * GET /kubun/v1/why?kind=Pod&namespace=default&name=web: why something does not run, for those who ask over HTTP. Everything
 * is read over the loopback as who asks, so that the answer knows no more than they may. Finding the cause is why/.
 */
import { pods } from './api/core/pod.ts'
import { badRequest, unauthorized } from './api/errors.ts'
import { pathSegment } from './api/names.ts'
import type { Asked } from './apiserver/deps.ts'
import type { Identity, InProcessApi } from './client/inprocess.ts'
import { loopbackClient } from './client/loopback.ts'
import { withTimeout } from './lib/ctx.ts'
import type { Answer } from './why/finding.ts'
import type { ReaderOptions } from './why/reader.ts'
import { kindNamed } from './why/subjects.ts'
import { why } from './why/why.ts'

export const whyPath = '/kubun/v1/why'

/** Requests that are no watch end after a minute; a question that has not been answered by then never will. */
const answerMsMax = 50_000
const logMsMax = 3_000
const everybody = 'system:authenticated'

export async function answerWhy(api: InProcessApi, { ctx, user, query }: Asked, options: Pick<ReaderOptions, 'profiles'> = {}): Promise<Answer> {
  // Over the loopback everybody counts as signed in.
  if (!user.groups.includes(everybody)) throw unauthorized()
  const [kindText, name] = [query.get('kind') ?? '', query.get('name') ?? '']
  const kind = kindNamed(kindText)
  if (kind === undefined) throw badRequest(`kind: ${JSON.stringify(kindText)} is no built-in kind`)
  if (name === '') throw badRequest('name: must be the name of an object')
  for (const [field, text] of [['name', name], ['namespace', query.get('namespace') ?? '']] as const) {
    const [wrong] = pathSegment(text, false) // as the path of an object would have to be
    if (wrong !== undefined) throw badRequest(`${field}: ${JSON.stringify(text)} ${wrong}`)
  }
  const { uid, extra } = user
  const who: Identity = { name: user.name, groups: user.groups, agent: 'kubun/why', ...(uid === undefined ? {} : { uid }), ...(extra === undefined ? {} : { extra }) }
  const client = loopbackClient(api, who)
  const at = { namespace: kind.namespaced ? query.get('namespace') || 'default' : '', name }
  return await withTimeout(ctx, answerMsMax, (timed) =>
    why(timed, client, kind, at, {
      ...options,
      logs: (of, { namespace, pod, container, previous, lines }) =>
        withTimeout(of, logMsMax, (soon) => client.ask<string>(soon, pods, { namespace, name: pod, subresource: 'log', query: { container, tailLines: String(lines), ...(previous ? { previous: 'true' } : {}) } })),
    }),
  )
}
