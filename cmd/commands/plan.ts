/** kubun plan -f FILE: what would happen if the files were applied. Making the plan is core/plan; this reads files, prints, and answers with the exit code. */
import * as z from 'zod'
import { ApiError } from '../../core/api/errors.ts'
import { UsageError } from '../../core/lib/config.ts'
import { errorPath, silentLog } from '../../core/lib/log.ts'
import { readDocuments } from '../../core/plan/documents.ts'
import { planText } from '../../core/plan/words.ts'
import { command, CommandError } from '../command.ts'
import { adminClient, kubeconfigFlag, kubeconfigPath, namespaceOf } from '../kubeconfig.ts'
import { readSources } from '../planfiles.ts'

const exitCodes = { nothing: 0, changes: 1, trouble: 2 } as const

const flags = z.object({
  filename: z.array(z.string()).default([]).describe('(-f) file, folder, or - for standard input; further words are files, too'),
  recursive: z.boolean().default(false).describe('(-R) look into the folders of a folder'),
  namespace: z.string().default('').describe("(-n) namespace of objects that name none; the kubeconfig's, else default"),
  delete: z.boolean().default(false).describe('what would happen if the objects in the files were deleted'),
  output: z.enum(['text', 'json'], 'must be text or json').default('text').describe('(-o) text, or json for machines'),
  kubeconfig: kubeconfigFlag('who would apply; what they may not read the plan does not know'),
})

export const planCommand = command({
  name: 'plan',
  summary: 'say what would happen if files were applied, and write nothing; exit code 0: nothing would change, 1: something would, 2: not all of it would run',
  usage: '-f FILE...',
  flags,
  letters: { f: 'filename', R: 'recursive', n: 'namespace', o: 'output' },
  async run(ctx, terminal, options, words) {
    const names = [...options.filename, ...words]
    if (names.length === 0) throw new UsageError('kubun plan needs -f FILE, a folder, or - for standard input')
    try {
      const { documents, problems } = readDocuments(await readSources(names, { recursive: options.recursive, stdin }))
      if (problems.length > 0) throw new CommandError(problems.join('\nkubun: '))
      if (documents.length === 0) throw new CommandError(`there are no objects in ${names.join(', ')}`)
      const { client } = adminClient(kubeconfigPath(options.kubeconfig))
      try {
        const namespace = namespaceOf(options.namespace, kubeconfigPath(options.kubeconfig))
        const other = options.namespace === '' ? undefined : documents.find(({ object }) => (object.metadata.namespace ?? namespace) !== namespace)
        if (other !== undefined) throw new CommandError(`${other.source}: the namespace from the provided object ${JSON.stringify(other.object.metadata.namespace)} does not match the namespace ${JSON.stringify(namespace)} of -n`)
        const { makePlan } = await import('../../core/plan/make.ts') // a whole control plane: no other command pays for it
        // What the parts of a fork log is about no cluster that anybody has.
        const plan = await makePlan({ ...ctx, log: silentLog }, { client, documents, namespace, deletes: options.delete })
        if (options.output === 'json') terminal.print(JSON.stringify(plan, undefined, 2))
        else for (const line of planText(plan)) terminal.print(line)
        return exitCodes[plan.verdict]
      } finally {
        client.close()
      }
    } catch (error) {
      if (ctx.signal.aborted) throw error
      terminal.complain(`kubun: ${error instanceof CommandError || error instanceof ApiError ? error.message : errorPath(error)}`)
      return exitCodes.trouble
    }
  },
})

async function stdin(): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array)
  return Buffer.concat(chunks).toString('utf8')
}
