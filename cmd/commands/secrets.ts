/** kubun secrets status|rotate: how Secrets (and what else is configured) lie on disk, and a new key for them. */
import * as z from 'zod'
import { UsageError } from '../../core/lib/config.ts'
import type { RestClient } from '../../core/client/rest.ts'
import type { Ctx } from '../../core/lib/ctx.ts'
import { command, CommandError, type Terminal } from '../command.ts'
import { adminClient, kubeconfigFlag, kubeconfigPath } from '../kubeconfig.ts'

const path = '/kubun/v1/encryption'

const flags = z.object({
  kubeconfig: kubeconfigFlag('an administrator'),
})

interface Status {
  readonly file: string
  readonly resources: readonly { readonly resources: readonly string[]; readonly writes: string; readonly reads: readonly string[] }[]
  readonly values: Readonly<Record<string, number>>
}

interface Rotated {
  readonly writes: string
  readonly rewritten: number
}

export const secretsCommand = command({
  name: 'secrets',
  summary: 'show how Secrets are encrypted on disk, and change the key',
  usage: 'status | rotate',
  flags,
  async run(ctx, terminal, options, words) {
    const [verb, more] = words
    if (more !== undefined || (verb !== 'status' && verb !== 'rotate')) throw new UsageError('kubun secrets needs status or rotate')
    const { client } = adminClient(kubeconfigPath(options.kubeconfig))
    try {
      if (verb === 'status') showStatus(terminal, (await ask(ctx, client, 'GET')) as Status)
      else {
        const { writes, rewritten } = (await ask(ctx, client, 'POST')) as Rotated
        terminal.print(`${rewritten} values are encrypted with ${writes} now`)
      }
      return 0
    } finally {
      client.close()
    }
  },
})

async function ask(ctx: Ctx, client: RestClient, method: 'GET' | 'POST'): Promise<unknown> {
  const answer = await client.raw(ctx, { method, path })
  const chunks: Uint8Array[] = []
  for await (const chunk of answer.body) chunks.push(chunk)
  const text = Buffer.concat(chunks).toString('utf8')
  if (answer.status !== 200) throw new CommandError(`the server answered ${answer.status}: is it of this version?`)
  return JSON.parse(text)
}

function showStatus(terminal: Terminal, status: Status): void {
  terminal.print(`configured in  ${status.file}`)
  for (const { resources, writes, reads } of status.resources) {
    terminal.print(`${resources.join(', ').padEnd(13)}  written with ${writes}; read with ${reads.join(', ')}`)
  }
  for (const [name, count] of Object.entries(status.values).toSorted(([a], [b]) => (a < b ? -1 : 1))) terminal.print(`${String(count).padStart(6)} values  ${name === 'identity' ? 'not encrypted' : name}`)
}
