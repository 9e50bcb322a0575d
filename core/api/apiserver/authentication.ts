/**
 * AuthenticationConfiguration: which issuers' tokens sign in, how their claims become a user, and where nobody needs to
 * (k8s.io/apiserver/pkg/apis/apiserver). What is written must obey is authenticationrules.ts.
 */
import { readConfiguration, type Shape } from './shape.ts'

export interface AuthenticationConfiguration {
  readonly jwt: readonly JwtAuthenticator[]
  /** Undefined: the file says nothing of it. */
  readonly anonymous?: AnonymousConfig
}

export interface AnonymousConfig {
  readonly enabled: boolean
  /** Without any, on every path. */
  readonly conditions: readonly { readonly path: string }[]
}

export interface JwtAuthenticator {
  readonly issuer: Issuer
  readonly claimMappings: ClaimMappings
  readonly claimValidationRules: readonly ClaimValidationRule[]
  readonly userValidationRules: readonly UserValidationRule[]
}

export interface Issuer {
  readonly url: string
  /** Where its discovery document is, when not under `url`; '' for that. */
  readonly discoveryURL: string
  /** PEM; '': the machine's own authorities. */
  readonly certificateAuthority: string
  readonly audiences: readonly string[]
  readonly audienceMatchPolicy: string
  readonly egressSelectorType: string
}

/** Texts that are not there are ''. */
export interface ClaimMappings {
  readonly username: PrefixedClaimOrExpression
  readonly groups: PrefixedClaimOrExpression
  readonly uid: ClaimOrExpression
  readonly extra: readonly { readonly key: string; readonly valueExpression: string }[]
}

export interface ClaimOrExpression {
  readonly claim: string
  readonly expression: string
}

export interface PrefixedClaimOrExpression extends ClaimOrExpression {
  /** '' is none, undefined: nothing is said of it. */
  readonly prefix?: string
}

export interface ClaimValidationRule {
  readonly claim: string
  readonly requiredValue: string
  readonly expression: string
  readonly message: string
}

export interface UserValidationRule {
  readonly expression: string
  readonly message: string
}

const mapping = { fields: { claim: 'string', expression: 'string', prefix: 'string' } } as const
const shape: Readonly<Record<string, Shape>> = {
  jwt: {
    list: {
      fields: {
        issuer: {
          fields: {
            url: 'string', discoveryURL: 'string', certificateAuthority: 'string', audiences: { list: 'string' },
            audienceMatchPolicy: 'string', egressSelectorType: 'string',
          },
        },
        claimValidationRules: { list: { fields: { claim: 'string', requiredValue: 'string', expression: 'string', message: 'string' } } },
        claimMappings: {
          fields: {
            username: mapping, groups: mapping, uid: { fields: { claim: 'string', expression: 'string' } },
            extra: { list: { fields: { key: 'string', valueExpression: 'string' } } },
          },
        },
        userValidationRules: { list: { fields: { expression: 'string', message: 'string' } } },
      },
    },
  },
  anonymous: { fields: { enabled: 'boolean', conditions: { list: { fields: { path: 'string' } } } } },
}

/** As it is written: any field may be missing. */
type Written<T> = T extends string | boolean | undefined ? T : T extends readonly (infer E)[] ? readonly Written<E>[] : { readonly [K in keyof T]?: Written<T[K]> }

/** Throws ConfigurationError. */
export function readAuthentication(text: string): AuthenticationConfiguration {
  const written = readConfiguration(text, 'AuthenticationConfiguration', ['v1', 'v1beta1', 'v1alpha1'], shape) as Written<AuthenticationConfiguration>
  const anonymous = written.anonymous
  return {
    jwt: (written.jwt ?? []).map(completeJwt),
    ...(anonymous === undefined ? {} : { anonymous: { enabled: anonymous.enabled ?? false, conditions: (anonymous.conditions ?? []).map(({ path = '' }) => ({ path })) } }),
  }
}

/** With every field there. */
export function completeJwt({ issuer = {}, claimMappings = {}, claimValidationRules = [], userValidationRules = [] }: Written<JwtAuthenticator>): JwtAuthenticator {
  const { uid, extra = [] } = claimMappings
  return {
    issuer: {
      url: issuer.url ?? '',
      discoveryURL: issuer.discoveryURL ?? '',
      certificateAuthority: issuer.certificateAuthority ?? '',
      audiences: issuer.audiences ?? [],
      audienceMatchPolicy: issuer.audienceMatchPolicy ?? '',
      egressSelectorType: issuer.egressSelectorType ?? '',
    },
    claimMappings: {
      username: prefixed(claimMappings.username),
      groups: prefixed(claimMappings.groups),
      uid: { claim: uid?.claim ?? '', expression: uid?.expression ?? '' },
      extra: extra.map(({ key = '', valueExpression = '' }) => ({ key, valueExpression })),
    },
    claimValidationRules: claimValidationRules.map(({ claim = '', requiredValue = '', expression = '', message = '' }) => ({ claim, requiredValue, expression, message })),
    userValidationRules: userValidationRules.map(({ expression = '', message = '' }) => ({ expression, message })),
  }
}

function prefixed(of: Written<PrefixedClaimOrExpression> = {}): PrefixedClaimOrExpression {
  return { claim: of.claim ?? '', expression: of.expression ?? '', ...(of.prefix === undefined ? {} : { prefix: of.prefix }) }
}
