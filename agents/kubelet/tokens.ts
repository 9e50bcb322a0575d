/**
 * Service account tokens for pods: asked for through TokenRequest, bound to the
 * pod, kept in memory, and asked for anew when four fifths of their life (or a
 * day) have passed (pkg/kubelet/token/token_manager.go).
 */
import type { Ctx } from '../../core/lib/ctx.ts'
import { serviceAccounts } from '../../core/api/core/serviceaccount.ts'
import type { Pod, ServiceAccountTokenProjection, TokenRequest } from '../../core/api/schema/types.ts'
import type { Client } from '../../core/client/client.ts'

export interface PodToken {
  readonly token: string
  /** When to ask again. */
  readonly refreshMs: number
}

export interface TokenSource {
  get(ctx: Ctx, pod: Readonly<Pod>, projection: Readonly<ServiceAccountTokenProjection>): Promise<PodToken>
  release(podUid: string): void
}

const ageMsMax = 24 * 3_600_000

export function tokenSource(client: Client): TokenSource {
  const kept = new Map<string, PodToken & { readonly expiresMs: number }>()
  return {
    async get(ctx, pod, projection) {
      const { name = '', namespace = '', uid = '' } = pod.metadata
      const account = pod.spec?.serviceAccountName ?? 'default'
      const id = [uid, account, projection.audience ?? '', projection.expirationSeconds ?? ''].join(' ')
      const have = kept.get(id)
      const now = ctx.clock.now()
      if (have !== undefined && now < have.refreshMs) return have
      const request: TokenRequest = {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        metadata: {},
        spec: {
          audiences: projection.audience === undefined || projection.audience === '' ? [] : [projection.audience],
          expirationSeconds: projection.expirationSeconds ?? 3600,
          boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
        },
      }
      try {
        const answer = await client.post<TokenRequest>(ctx, serviceAccounts, { namespace, name: account }, 'token', request)
        const expiresMs = Date.parse(answer.status?.expirationTimestamp ?? '')
        const refreshMs = now + Math.min((expiresMs - now) * 0.8, ageMsMax)
        const fresh = { token: answer.status?.token ?? '', refreshMs, expiresMs }
        kept.set(id, fresh)
        return fresh
      } catch (error) {
        // An old token that still holds is better than none.
        if (have !== undefined && now < have.expiresMs) return have
        throw error
      }
    },
    release(podUid) {
      for (const id of kept.keys()) if (id.startsWith(`${podUid} `)) kept.delete(id)
    },
  }
}
