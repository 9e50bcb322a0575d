/**
 * Who is who, put together: every way in which a request is signed in, and the tokens that this server makes. The ways
 * themselves are core/auth/authn; what users configure is authentication.ts; what somebody may do is authorization.ts.
 */
import { secrets } from './api/core/secret.ts'
import { keyOf } from './api/meta.ts'
import { certificateAuthenticator, union } from './auth/authn/authenticators.ts'
import { bearerTokens, type BearerTokens } from './auth/authn/bearer.ts'
import { bootstrapTokens } from './auth/authn/bootstrap.ts'
import { tokenKeys, type TokenKeys } from './auth/authn/keys.ts'
import { requestHeaderAuthenticator } from './auth/authn/requestheader.ts'
import { lastUsedLabel, secretTokens, type SecretTokens } from './auth/authn/secrettoken.ts'
import { serviceAccountTokens, type ServiceAccountTokens } from './auth/authn/serviceaccount.ts'
import type { Lookup } from './auth/lookup.ts'
import type { Authenticator } from './auth/user.ts'
import { Authentication, tokenSettings, type AuthenticationOptions } from './authentication.ts'
import type { Client } from './client/client.ts'
import type { Remote } from './client/remote.ts'
import type { Ctx } from './lib/ctx.ts'
import { errorPath } from './lib/log.ts'
import type { Random } from './lib/random.ts'
import type { ClusterPki } from './pki/cluster.ts'

/** Certificates of these names may speak for others: this server itself, to servers that trust what it publishes. */
export const frontProxies = ['system:auth-proxy']

export interface SignInDeps {
  readonly pki: ClusterPki
  readonly lookup: Lookup
  readonly random: Random
  readonly remote: Remote
  readonly options: AuthenticationOptions
  /** Notes the use of a token on its Secret; stands behind the server that this is part of. */
  readonly client: () => Client
}

export interface SignIn {
  readonly keys: TokenKeys
  readonly accounts: ReturnType<typeof tokenSettings>
  readonly tokens: ServiceAccountTokens
  readonly secretTokens: SecretTokens
  readonly bearer: BearerTokens
  /** Every way but the dashboard's sessions. */
  readonly authenticator: Authenticator
  readonly authentication: Authentication
}

/** `ctx` is the life of the server. Throws for a configuration that cannot be used. */
export async function openSignIn(ctx: Ctx, { pki, lookup, random, remote, options, client }: SignInDeps): Promise<SignIn> {
  const keys = await tokenKeys([pki.serviceAccountKey])
  const accounts = tokenSettings(options.serviceAccount)
  const tokens = serviceAccountTokens({ keys, lookup, random, ...accounts })
  const fromSecrets = secretTokens({
    keys, lookup, audiences: accounts.audiences,
    used(secret, day) {
      const labelled = client().patch(ctx, secrets, keyOf(secret), 'merge', { metadata: { uid: secret.metadata.uid, labels: { [lastUsedLabel]: day } } })
      labelled.catch((error: unknown) => ctx.log.warn('a token is used, and its Secret does not say so', { error: errorPath(error) }))
    },
  })
  const authentication = await Authentication.open(ctx, options, { remote, random, tokens: accounts })
  const bearer = bearerTokens([fromSecrets, tokens, bootstrapTokens(lookup, accounts.audiences), ...authentication.ways], accounts.audiences)
  const authenticator = union([requestHeaderAuthenticator(frontProxies), certificateAuthenticator(), bearer])
  return { keys, accounts, tokens, secretTokens: fromSecrets, bearer, authenticator, authentication }
}
