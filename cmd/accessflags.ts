/** Flags of kubun server that say who is known and who is asked whether they may, named as kube-apiserver's; and what they make. */
import * as z from 'zod'
import { parseDuration } from '../core/lib/duration.ts'
import type { ServerConfig } from '../core/server.ts'
import { CommandError } from './command.ts'
import { duration } from './flags.ts'

/** One comma-separated value, or the flag several times. */
const words = z.array(z.string()).optional()
const span = duration().optional()
const version = z.enum(['v1', 'v1beta1'], 'must be v1 or v1beta1').optional()

export const accessFlags = {
  'authentication-config': z.string().optional().describe("AuthenticationConfiguration file: issuers whose JWTs sign in, and where nobody needs to (excludes --oidc-*)"),
  'anonymous-auth': z.boolean().optional().describe('let requests in that show nothing, as system:anonymous (default true)'),
  'oidc-issuer-url': z.string().optional().describe('URL of an OpenID issuer whose tokens sign in'),
  'oidc-client-id': z.string().optional().describe('audience that its tokens must be for'),
  'oidc-username-claim': z.string().optional().describe('claim that is the user name (default sub)'),
  'oidc-username-prefix': z.string().optional().describe("what stands before user names ('-': nothing; default: the issuer's URL and #, but for the claim email)"),
  'oidc-groups-claim': z.string().optional().describe('claim that names the groups'),
  'oidc-groups-prefix': z.string().optional().describe('what stands before groups'),
  'oidc-required-claim': words.describe('claim=value that tokens must have'),
  'oidc-ca-file': z.string().optional().describe("authorities of the issuer's certificate (default: this machine's)"),
  'oidc-signing-algs': words.describe('signature algorithms that are taken, separated by commas (default RS256)'),
  'authentication-token-webhook-config-file': z.string().optional().describe('kubeconfig of a server that is asked about tokens nobody here knows'),
  'authentication-token-webhook-version': version.describe('version of the TokenReviews that it is sent (default v1beta1)'),
  'authentication-token-webhook-cache-ttl': span.describe('for how long its answers are remembered (default 2m)'),
  'authorization-config': z.string().optional().describe('AuthorizationConfiguration file: who is asked whether somebody may, in which order (excludes the flags below)'),
  'authorization-mode': words.describe('who is asked, in order, separated by commas: Node, RBAC, Webhook, AlwaysAllow, AlwaysDeny (default Node,RBAC)'),
  'authorization-webhook-config-file': z.string().optional().describe('kubeconfig of the server behind the mode Webhook'),
  'authorization-webhook-version': version.describe('version of the SubjectAccessReviews that it is sent (default v1beta1)'),
  'authorization-webhook-cache-authorized-ttl': span.describe('for how long it is remembered that somebody may (default 5m)'),
  'authorization-webhook-cache-unauthorized-ttl': span.describe('for how long it is remembered that somebody may not (default 30s)'),
  'service-account-issuer': words.describe('issuer of service account tokens; given again: further ones whose tokens are taken (default https://kubernetes.default.svc.cluster.local)'),
  'service-account-jwks-uri': z.string().optional().describe('where others find the keys of these tokens (default: this server)'),
  'api-audiences': words.describe('audiences that mean this API server, separated by commas (default: the issuers)'),
  'service-account-max-token-expiration': span.describe('no token is made to live longer'),
  'service-account-extend-token-expiration': z.boolean().optional().describe('tokens in pods live on for a year after clients should have read them again (default true)'),
} as const

export type AccessFlags = Readonly<z.output<z.ZodObject<typeof accessFlags>>>
type Authentication = NonNullable<ServerConfig['authentication']>
type Authorization = NonNullable<ServerConfig['authorization']>

export function authenticationOf(flags: AccessFlags): Authentication {
  const oidc = oidcOf(flags)
  const webhook = flags['authentication-token-webhook-config-file']
  return {
    ...given('configFile', flags['authentication-config']),
    ...given('anonymous', anonymousOf(flags)),
    ...given('oidc', oidc),
    ...given('tokenWebhook', webhook === undefined ? undefined : {
      configFile: webhook,
      ...given('version', flags['authentication-token-webhook-version']),
      ...given('cacheMs', milliseconds(flags['authentication-token-webhook-cache-ttl'])),
    }),
    serviceAccount: {
      ...given('issuers', flags['service-account-issuer']),
      ...given('jwksUri', flags['service-account-jwks-uri']),
      ...given('audiences', separated(flags['api-audiences'])),
      ...given('expirationMaxMs', milliseconds(flags['service-account-max-token-expiration'])),
      ...given('extendExpiration', flags['service-account-extend-token-expiration']),
    },
  }
}

export function authorizationOf(flags: AccessFlags): Authorization {
  const webhook = {
    ...given('configFile', flags['authorization-webhook-config-file']),
    ...given('version', flags['authorization-webhook-version']),
    ...given('authorizedMs', milliseconds(flags['authorization-webhook-cache-authorized-ttl'])),
    ...given('unauthorizedMs', milliseconds(flags['authorization-webhook-cache-unauthorized-ttl'])),
  }
  return {
    ...given('configFile', flags['authorization-config']),
    ...given('modes', separated(flags['authorization-mode'])),
    ...(Object.keys(webhook).length === 0 ? {} : { webhook }),
  }
}

/** Nobody would be refused anything: then everybody must at least say who they are. */
function anonymousOf(flags: AccessFlags): boolean | undefined {
  return separated(flags['authorization-mode'])?.includes('AlwaysAllow') === true ? false : flags['anonymous-auth']
}

function oidcOf(flags: AccessFlags): Authentication['oidc'] {
  const oidc = {
    ...given('issuerUrl', flags['oidc-issuer-url']),
    ...given('clientId', flags['oidc-client-id']),
    ...given('caFile', flags['oidc-ca-file']),
    ...given('usernameClaim', flags['oidc-username-claim']),
    ...given('usernamePrefix', flags['oidc-username-prefix']),
    ...given('groupsClaim', flags['oidc-groups-claim']),
    ...given('groupsPrefix', flags['oidc-groups-prefix']),
    ...given('signingAlgs', separated(flags['oidc-signing-algs'])),
    ...given('requiredClaims', flags['oidc-required-claim']?.map(claimOf)),
  }
  return Object.keys(oidc).length === 0 ? undefined : oidc
}

function claimOf(text: string): readonly [string, string] {
  const at = text.indexOf('=')
  if (at <= 0) throw new CommandError(`--oidc-required-claim ${JSON.stringify(text)} must look like claim=value`)
  return [text.slice(0, at), text.slice(at + 1)]
}

/** A field, where its flag was given. */
function given<K extends string, T>(name: K, value: T | undefined): { readonly [P in K]?: T } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [P in K]?: T }
}

function separated(values: readonly string[] | undefined): readonly string[] | undefined {
  return values?.flatMap((value) => value.split(',')).map((word) => word.trim())
}

function milliseconds(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseDuration(text)
}
