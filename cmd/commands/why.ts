/** kubun why KIND/NAME: why something does not run, cause first. Finding it is core/why; this asks and prints. */
import * as z from 'zod'
import { pods } from '../../core/api/core/pod.ts'
import type { Kind } from '../../core/api/kind.ts'
import { isApiError } from '../../core/api/errors.ts'
import { pathOf } from '../../core/client/query.ts'
import { textOf } from '../../core/client/lines.ts'
import type { RestClient } from '../../core/client/rest.ts'
import { UsageError } from '../../core/lib/config.ts'
import { withTimeout, type Ctx } from '../../core/lib/ctx.ts'
import type { Answer } from '../../core/why/finding.ts'
import type { LogPlace } from '../../core/why/reader.ts'
import { kindNamed } from '../../core/why/subjects.ts'
import { answerLines } from '../../core/why/text.ts'
import { why } from '../../core/why/why.ts'
import { command, CommandError } from '../command.ts'
import { adminClient, kubeconfigFlag, kubeconfigPath, namespaceOf } from '../kubeconfig.ts'

const answerMsMax = 60_000
const logMsMax = 5_000

const flags = z.object({
  kubeconfig: kubeconfigFlag('who asks; what they may not read is not taken into account'),
  namespace: z.string().default('').describe("namespace of what is asked about; the kubeconfig's, else default"),
  output: z.enum(['text', 'json'], 'must be text or json').default('text').describe('text, or json for machines'),
})

export const whyCommand = command({
  name: 'why',
  summary: 'say why a pod, a workload, a Service, a claim or a node does not run, cause first; exit code 0 says that the question was answered',
  usage: 'KIND/NAME',
  flags,
  letters: { n: 'namespace', o: 'output' },
  async run(ctx, terminal, options, words) {
    const { kindText, name } = subjectOf(words)
    const kind = kindNamed(kindText)
    if (kind === undefined) throw new UsageError(`kubun why knows no kind ${JSON.stringify(kindText)}: it answers for pods, workloads, services, claims, nodes, namespaces and all other built-in kinds`)
    const path = kubeconfigPath(options.kubeconfig)
    const { client } = adminClient(path)
    try {
      const at = { namespace: namespaceOf(options.namespace, path), name }
      const answer = await withTimeout(ctx, answerMsMax, (timed) => answerOf(timed, client, kind, at))
      if (options.output === 'json') terminal.print(JSON.stringify(answer, undefined, 2))
      else for (const line of answerLines(answer)) terminal.print(line)
      return 0
    } catch (error) {
      if (isApiError(error, 'NotFound') || isApiError(error, 'Forbidden')) throw new CommandError(error.message, { cause: error })
      throw error
    } finally {
      client.close()
    }
  },
})

/**
 * The server answers, which knows how its scheduler is set up and reads at its own door. One that has no such path (an
 * upstream one, say) is read from here.
 */
async function answerOf(ctx: Ctx, client: RestClient, kind: Kind, at: { readonly namespace: string; readonly name: string }): Promise<Answer> {
  const query = new URLSearchParams({ kind: `${kind.plural}${kind.group === '' ? '' : `.${kind.group}`}`, ...at }).toString()
  try {
    const answer = await client.raw(ctx, { method: 'GET', path: `/kubun/v1/why?${query}` })
    return JSON.parse(await textOf(answer.body)) as Answer
  } catch (error) {
    if (!isApiError(error) || !/404 page not found|cannot get path/.test(error.message)) throw error
    return await why(ctx, client, kind, at, { logs: (of, place) => logs(of, client, place) })
  }
}

/** `pod/web` or `pod web`. */
function subjectOf(words: readonly string[]): { readonly kindText: string; readonly name: string } {
  const [first = '', second, more] = words
  const [kindText = '', name = second] = first.split('/')
  if (kindText === '' || name === undefined || name === '' || more !== undefined || (first.includes('/') && second !== undefined)) throw new UsageError('kubun why needs one KIND/NAME, for instance pod/web-7f9')
  return { kindText, name }
}

/** A node that does not answer costs the last lines, not the cause. */
async function logs(ctx: Ctx, client: RestClient, { namespace, pod, container, previous, lines }: LogPlace): Promise<string> {
  const query = { container, tailLines: String(lines), ...(previous ? { previous: 'true' } : {}) }
  return await withTimeout(ctx, logMsMax, async (timed) => textOf((await client.raw(timed, { method: 'GET', path: pathOf(pods, { namespace, name: pod, subresource: 'log' }, query) })).body))
}
