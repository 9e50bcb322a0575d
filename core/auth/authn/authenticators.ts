/**
 * The ways of signing in, one after the other: front proxy, client certificate, bearer token. Who shows nothing may be
 * anonymous, where that is allowed; what anonymous may do is authorization's affair. Whoever comes through is
 * system:authenticated.
 */
import type { Ctx } from '../../lib/ctx.ts'
import type { Authenticator, Credentials, User } from '../user.ts'

export const authenticatedGroup = 'system:authenticated'
export const anonymous: User = Object.freeze({ name: 'system:anonymous', groups: Object.freeze(['system:unauthenticated']) })

/** The first way that knows the sender decides. A credential that one way refuses may still hold for a later one; refused by all it is 'invalid', and undefined stands for nothing shown. */
export function union(ways: readonly Authenticator[]): Authenticator {
  return {
    async authenticate(ctx: Ctx, credentials: Credentials) {
      let refused = false
      for (const way of ways) {
        const answer = await way.authenticate(ctx, credentials)
        if (answer === 'invalid') refused = true
        else if (answer !== undefined) return answer
      }
      if (refused || credentials.bearerToken !== undefined) return 'invalid'
      return credentials.certificate === undefined && credentials.frontProxy === undefined ? undefined : 'invalid'
    },
  }
}

/** The user with the group of all who are known, where the way of signing in did not say it (k8s.io/apiserver/pkg/authentication/group). */
export function withAuthenticated(user: User): User {
  const isKnown = user.name === anonymous.name || user.groups.includes(authenticatedGroup) || user.groups.includes('system:unauthenticated')
  return isKnown ? user : { ...user, groups: [...user.groups, authenticatedGroup] }
}

/** Users of certificates that are remembered, so that one sender stays one object: authorization caches by it. */
const certificateUsersMax = 4_096

/** CN is the user, each O a group (k8s.io/apiserver/pkg/authentication/request/x509). */
export function certificateAuthenticator(): Authenticator {
  const users = new Map<string, User>()
  return {
    async authenticate(_ctx, { certificate }) {
      if (certificate === undefined || certificate.commonName === '') return undefined
      const known = users.get(certificate.fingerprint)
      if (known !== undefined) return known
      const user: User = Object.freeze({
        name: certificate.commonName,
        groups: Object.freeze([...certificate.organizations, authenticatedGroup]),
        extra: { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${certificate.fingerprint}`] },
      })
      const oldest = users.size >= certificateUsersMax ? users.keys().next().value : undefined
      if (oldest !== undefined) users.delete(oldest)
      users.set(certificate.fingerprint, user)
      return user
    },
  }
}
