import * as z from 'zod'
import { expect, it } from 'vitest'
import { resolveFlags } from '../core/lib/config.ts'
import { accessFlags, authenticationOf, authorizationOf } from './accessflags.ts'

function read(...argv: readonly string[]) {
  const { flags } = resolveFlags(z.object(accessFlags), { argv: [...argv], env: {} })
  return { authentication: authenticationOf(flags), authorization: authorizationOf(flags) }
}

it('without flags nothing is said', () => {
  expect(read()).toEqual({ authentication: { serviceAccount: {} }, authorization: {} })
})

it('flags say what they are named for', () => {
  expect(read('--oidc-issuer-url', 'https://a', '--oidc-client-id=x', '--oidc-required-claim', 'a=b=c', '--oidc-signing-algs', 'RS256,ES256', '--service-account-issuer', 'https://b', '--service-account-issuer', 'https://c', '--service-account-max-token-expiration', '2h', '--service-account-extend-token-expiration=false')).toEqual({
    authentication: {
      oidc: { issuerUrl: 'https://a', clientId: 'x', requiredClaims: [['a', 'b=c']], signingAlgs: ['RS256', 'ES256'] },
      serviceAccount: { issuers: ['https://b', 'https://c'], expirationMaxMs: 7_200_000, extendExpiration: false },
    },
    authorization: {},
  })
  expect(read('--authorization-mode', 'Node,Webhook', '--authorization-webhook-config-file', 'f', '--authorization-webhook-cache-authorized-ttl', '1m', '--authentication-token-webhook-config-file', 'g', '--anonymous-auth=false')).toEqual({
    authentication: { anonymous: false, tokenWebhook: { configFile: 'g' }, serviceAccount: {} },
    authorization: { modes: ['Node', 'Webhook'], webhook: { configFile: 'f', authorizedMs: 60_000 } },
  })
})

it('where everybody may do everything, nobody is anonymous', () => {
  expect(read('--authorization-mode', 'AlwaysAllow').authentication.anonymous).toBe(false)
})

it('a claim without a value is refused', () => {
  expect(() => read('--oidc-required-claim', 'a')).toThrow('--oidc-required-claim "a" must look like claim=value')
})
