/** kubun token create|list|delete: bootstrap tokens, with which machines join as nodes. They are Secrets in kube-system. */
import * as z from 'zod'
import { secrets } from '../../core/api/core/secret.ts'
import type { Secret } from '../../core/api/schema/types.ts'
import type { RestClient } from '../../core/client/rest.ts'
import type { Ctx } from '../../core/lib/ctx.ts'
import { parseDuration } from '../../core/lib/duration.ts'
import { systemRandom } from '../../core/lib/random.ts'
import { UsageError } from '../../core/lib/config.ts'
import { command, CommandError, type Terminal } from '../command.ts'
import { duration } from '../flags.ts'
import { adminClient, kubeconfigFlag, kubeconfigPath } from '../kubeconfig.ts'

const namespace = 'kube-system'
const prefix = 'bootstrap-token-'

const flags = z.object({
  kubeconfig: kubeconfigFlag('an administrator'),
  ttl: duration().default('24h').describe('how long the token is valid; 0 for ever (create)'),
  description: z.string().default('').describe('what the token is for (create)'),
})

export const tokenCommand = command({
  name: 'token',
  summary: 'make, list and delete the tokens with which nodes join',
  usage: 'create | list | delete ID',
  flags,
  async run(ctx, terminal, options, words) {
    const [verb, id] = words
    if (verb === undefined || !['create', 'list', 'delete'].includes(verb)) throw new UsageError('kubun token needs create, list, or delete ID')
    if ((verb === 'delete') !== (id !== undefined)) throw new UsageError(verb === 'delete' ? 'kubun token delete needs the ID of a token' : `kubun token ${verb} takes no further word`)
    const { client, caPem } = adminClient(kubeconfigPath(options.kubeconfig))
    try {
      if (verb === 'create') {
        const { fingerprint, readCertificate } = await import('../../core/pki/certificate.ts')
        const created = await createToken(ctx, client, { ttlMs: parseDuration(options.ttl), description: options.description })
        terminal.print(`K10${fingerprint(readCertificate(caPem))}::${created.id}:${created.secret}`)
      } else if (verb === 'list') await list(ctx, terminal, client)
      else await remove(ctx, terminal, client, id ?? '')
      return 0
    } finally {
      client.close()
    }
  },
})

export interface TokenInit {
  /** 0: it does not expire. */
  readonly ttlMs: number
  readonly description: string
}

const tokenLetters = 'abcdefghijklmnopqrstuvwxyz0123456789'

function letters(length: number): string {
  return Array.from({ length }, () => tokenLetters[systemRandom.int(tokenLetters.length)]).join('')
}

export async function createToken(ctx: Ctx, client: Pick<RestClient, 'create'>, init: TokenInit): Promise<{ readonly id: string; readonly secret: string }> {
  const id = letters(6)
  const secret = letters(16)
  const expiration = init.ttlMs === 0 ? {} : { expiration: new Date(ctx.clock.now() + init.ttlMs).toISOString().replace(/\.\d+Z$/, 'Z') }
  const stringData = {
    'token-id': id,
    'token-secret': secret,
    'usage-bootstrap-authentication': 'true',
    'usage-bootstrap-signing': 'true',
    ...(init.description === '' ? {} : { description: init.description }),
    ...expiration,
  }
  const data = Object.fromEntries(Object.entries(stringData).map(([key, value]) => [key, Buffer.from(value).toString('base64')]))
  await client.create<Secret>(ctx, secrets, { apiVersion: 'v1', kind: 'Secret', metadata: { name: `${prefix}${id}`, namespace }, type: 'bootstrap.kubernetes.io/token', data })
  return { id, secret }
}

async function list(ctx: Ctx, terminal: Terminal, client: RestClient): Promise<void> {
  const found = await client.list(ctx, secrets, { namespace, fieldSelector: 'type=bootstrap.kubernetes.io/token' })
  const read = (secret: Readonly<Secret>, key: string): string => Buffer.from(secret.data?.[key] ?? '', 'base64').toString('utf8')
  const rows = found.items.map((s) => [read(s, 'token-id'), read(s, 'expiration') || 'never', read(s, 'description') || '-'])
  for (const [id = '', expires = '', description = ''] of [['ID', 'EXPIRES', 'DESCRIPTION'], ...rows]) {
    terminal.print(`${id.padEnd(8)}${expires.padEnd(22)}${description}`)
  }
}

async function remove(ctx: Ctx, terminal: Terminal, client: RestClient, text: string): Promise<void> {
  const id = text.startsWith('K10') ? (text.split('::')[1]?.split(':')[0] ?? '') : text.split('.')[0]
  if (!(await client.delete(ctx, secrets, { namespace, name: `${prefix}${id}` }))) throw new CommandError(`there is no token ${id}; kubun token list shows them`)
  terminal.print(`token ${id} is deleted`)
}
