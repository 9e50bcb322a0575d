/**
 * Who may ask a kubelet: the API server's own client certificate and cluster
 * administrators at once; everybody else by TokenReview and SubjectAccessReview on
 * the node's subresources (pkg/kubelet/server/auth.go), with answers kept for a while.
 */
import type { Ctx } from '../../../core/lib/ctx.ts'
import { tokenReviews } from '../../../core/api/authentication/tokenreview.ts'
import { subjectAccessReviews } from '../../../core/api/authorization/subjectaccessreview.ts'
import type { SubjectAccessReview, TokenReview } from '../../../core/api/schema/types.ts'
import type { Client } from '../../../core/client/client.ts'

export interface Peer {
  /** Subject of a client certificate that the cluster's client authority issued. */
  readonly certificate?: { readonly commonName: string; readonly organizations: readonly string[] }
  readonly bearerToken?: string
}

export interface PeerUser {
  readonly name: string
  readonly groups: readonly string[]
}

export interface KubeletAuth {
  /** undefined: nobody known. */
  who(ctx: Ctx, peer: Peer): Promise<PeerUser | undefined>
  allowed(ctx: Ctx, user: PeerUser, method: string, path: string): Promise<boolean>
}

export const apiServerName = 'kube-apiserver-kubelet-client'

const keptMs = 60_000
const keptMax = 1_000

export function kubeletAuth(client: Client, nodeName: string): KubeletAuth {
  const users = new Map<string, { readonly user: PeerUser | undefined; readonly untilMs: number }>()
  const answers = new Map<string, { readonly allowed: boolean; readonly untilMs: number }>()
  return {
    async who(ctx, { certificate, bearerToken }) {
      if (certificate !== undefined) return { name: certificate.commonName, groups: [...certificate.organizations, 'system:authenticated'] }
      if (bearerToken === undefined) return undefined
      const known = users.get(bearerToken)
      if (known !== undefined && known.untilMs > ctx.clock.now()) return known.user
      const review: TokenReview = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', metadata: {}, spec: { token: bearerToken } }
      const { status } = await client.create(ctx, tokenReviews, review)
      const user = status?.authenticated === true ? { name: status.user?.username ?? '', groups: status.user?.groups ?? [] } : undefined
      keep(users, bearerToken, { user, untilMs: ctx.clock.now() + keptMs })
      return user
    },
    async allowed(ctx, user, method, path) {
      if (user.name === apiServerName || user.groups.includes('system:masters')) return true
      const spec = {
        user: user.name,
        groups: [...user.groups],
        resourceAttributes: { verb: verbs[method] ?? method.toLowerCase(), group: '', version: 'v1', resource: 'nodes', subresource: subresourceOf(path), name: nodeName },
      }
      const key = JSON.stringify(spec)
      const known = answers.get(key)
      if (known !== undefined && known.untilMs > ctx.clock.now()) return known.allowed
      const review: SubjectAccessReview = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', metadata: {}, spec }
      const { status } = await client.create(ctx, subjectAccessReviews, review)
      const allowed = status?.allowed === true
      keep(answers, key, { allowed, untilMs: ctx.clock.now() + keptMs })
      return allowed
    },
  }
}

const verbs: Readonly<Record<string, string>> = { POST: 'create', GET: 'get', HEAD: 'get', PUT: 'update', PATCH: 'patch', DELETE: 'delete' }

export function subresourceOf(path: string): string {
  if (/^\/stats(\/|$)/.test(path)) return 'stats'
  if (/^\/metrics(\/|$)/.test(path)) return 'metrics'
  return /^\/logs(\/|$)/.test(path) ? 'log' : 'proxy'
}

function keep<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key)
  map.set(key, value)
  const [oldest] = map.keys()
  if (map.size > keptMax && oldest !== undefined) map.delete(oldest)
}
