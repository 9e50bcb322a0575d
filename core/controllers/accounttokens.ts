/**
 * Tokens in Secrets: a Secret of type kubernetes.io/service-account-token gets the token, the CA and the namespace of the
 * account it names, and goes when that account does (pkg/controller/serviceaccount/tokens_controller.go).
 */
import { secrets } from '../api/core/secret.ts'
import { serviceAccounts } from '../api/core/serviceaccount.ts'
import { isApiError } from '../api/errors.ts'
import { keyOf } from '../api/meta.ts'
import type { Secret, ServiceAccount } from '../api/schema/types.ts'
import type { Client } from '../client/client.ts'
import type { Index } from '../client/lister.ts'
import type { Ctx } from '../lib/ctx.ts'
import { managerIdentity, type Controller } from './controller.ts'
import { itself } from './run.ts'

const tokenType = 'kubernetes.io/service-account-token'
const nameAnnotation = 'kubernetes.io/service-account.name'
const uidAnnotation = 'kubernetes.io/service-account.uid'
const accountIndex = 'account'
const accountKey = '#account/'

const byAccount: Index<Secret> = (secret) => (accountOf(secret) === '' ? [] : [`${secret.metadata.namespace}/${accountOf(secret)}`])

export const accountTokens: Controller = {
  name: 'tokens-controller',
  identity: managerIdentity,
  setUp(env) {
    const informer = env.informers.of(secrets)
    informer.addIndex(accountIndex, byAccount)
    const lister = env.watch(secrets, (secret) => (accountOf(secret) === '' ? [] : itself(secret)))
    const accounts = env.watch(serviceAccounts, (account) => itself(account).map((key) => accountKey + key))
    return async (ctx, key, client) => {
      if (key.startsWith(accountKey)) {
        for (const secret of lister.by(accountIndex, key.slice(accountKey.length))) itself(secret).forEach((own) => env.queue.add(own))
        return
      }
      const secret = lister.at(key)
      if (secret === undefined) return await forget(ctx, client, accounts.list(key.split('/')[0]), key.split('/')[1] ?? '')
      if (accountOf(secret) === '') return
      const account = await find(ctx, client, accounts.get({ namespace: secret.metadata.namespace ?? '', name: accountOf(secret) }), secret)
      if (account === undefined) return await remove(ctx, client, secret)
      const next = await filled(secret, account, env.settings)
      if (next !== undefined) await client.update(ctx, secrets, next)
    }
  },
}

function accountOf(secret: Readonly<Secret>): string {
  return secret.type === tokenType ? (secret.metadata.annotations?.[nameAnnotation] ?? '') : ''
}

/** A lister may be behind, and a token must not go because of that. */
async function find(ctx: Ctx, client: Client, lent: Readonly<ServiceAccount> | undefined, secret: Readonly<Secret>): Promise<Readonly<ServiceAccount> | undefined> {
  const uid = secret.metadata.annotations?.[uidAnnotation] ?? ''
  const fits = (account: Readonly<ServiceAccount> | undefined): boolean => account !== undefined && (uid === '' || uid === account.metadata.uid)
  if (fits(lent)) return lent
  const live = await client.get(ctx, serviceAccounts, { namespace: secret.metadata.namespace ?? '', name: accountOf(secret) })
  return fits(live) ? live : undefined
}

async function filled(secret: Readonly<Secret>, account: Readonly<ServiceAccount>, settings: { readonly rootCa: string; readonly secretToken: (account: Readonly<ServiceAccount>, secret: Readonly<Secret>) => Promise<string> }): Promise<Secret | undefined> {
  const data = secret.data ?? {}
  const ca = base64(settings.rootCa)
  const missing = (name: string): boolean => (data[name] ?? '') === ''
  if (data['ca.crt'] === ca && !missing('namespace') && !missing('token')) return undefined
  return {
    ...secret,
    metadata: { ...secret.metadata, annotations: { ...secret.metadata.annotations, [nameAnnotation]: account.metadata.name ?? '', [uidAnnotation]: account.metadata.uid ?? '' } },
    data: {
      ...data,
      'ca.crt': ca,
      ...(missing('namespace') ? { namespace: base64(secret.metadata.namespace ?? '') } : {}),
      ...(missing('token') ? { token: base64(await settings.secretToken(account, secret)) } : {}),
    },
  }
}

async function remove(ctx: Ctx, client: Client, secret: Readonly<Secret>): Promise<void> {
  const { uid } = secret.metadata
  try {
    await client.delete(ctx, secrets, keyOf(secret), uid === undefined ? {} : { preconditions: { uid } })
  } catch (error) {
    if (!isApiError(error, 'Conflict')) throw error // another one of that name stands there now
  }
}

/** A Secret that is gone stands no more in its account's list. */
async function forget(ctx: Ctx, client: Client, accounts: readonly Readonly<ServiceAccount>[], name: string): Promise<void> {
  for (const account of accounts) {
    if (account.secrets?.some((ref) => ref.name === name) !== true) continue
    await client.update(ctx, serviceAccounts, { ...account, secrets: account.secrets.filter((ref) => ref.name !== name) })
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
