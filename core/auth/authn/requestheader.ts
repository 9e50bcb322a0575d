/**
 * Users in whose name a front proxy asks: it has shown a certificate of the request-header CA, and says in headers who it
 * is that asks (k8s.io/apiserver/pkg/authentication/request/headerrequest). Which headers, and who may be a proxy, others
 * read in the ConfigMap extension-apiserver-authentication.
 */
import type { Authenticator, FrontProxyClaim, User } from '../user.ts'

export const requestHeaders = {
  user: ['X-Remote-User'],
  uid: ['X-Remote-Uid'],
  group: ['X-Remote-Group'],
  extraPrefix: ['X-Remote-Extra-'],
} as const

/** @param allowed common names of the proxies; empty: everybody with such a certificate */
export function requestHeaderAuthenticator(allowed: readonly string[]): Authenticator {
  return {
    authenticate: (_ctx, { frontProxy }) => Promise.resolve(frontProxy === undefined ? undefined : judge(frontProxy, allowed)),
  }
}

function judge({ proxy, user }: FrontProxyClaim, allowed: readonly string[]): User | 'invalid' {
  const isAllowed = allowed.length === 0 || allowed.includes(proxy)
  return isAllowed && user !== undefined ? user : 'invalid'
}
