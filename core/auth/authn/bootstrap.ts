/**
 * Bootstrap tokens: `<id>.<secret>`, kept as Secrets of type
 * bootstrap.kubernetes.io/token in kube-system. They let a node sign in once to
 * ask for its certificate (plugin/pkg/auth/authenticator/token/bootstrap).
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { secrets } from '../../api/core/secret.ts'
import { isBeingDeleted } from '../../api/meta.ts'
import type { Secret } from '../../api/schema/types.ts'
import type { Lookup } from '../lookup.ts'
import type { User } from '../user.ts'
import { authenticatedGroup } from './authenticators.ts'
import { audienceAgnostic, type TokenWay } from './bearer.ts'

const tokenForm = /^([a-z0-9]{6})\.([a-z0-9]{16})$/
const groupForm = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/
const bootstrapType = 'bootstrap.kubernetes.io/token'

/** `audiences` mean this API server; these tokens are for no other. */
export function bootstrapTokens(lookup: Lookup, audiences: readonly string[]): TokenWay {
  return audienceAgnostic(audiences, async (ctx, token) => {
    const parts = tokenForm.exec(token)
    if (parts === null) return undefined
    const [, id = '', shown = ''] = parts
    const secret = lookup.get(secrets, { namespace: 'kube-system', name: `bootstrap-token-${id}` })
    const user = secret === undefined ? 'invalid' : userOf(secret, id, shown, ctx.clock.now())
    if (user !== 'invalid') return user
    ctx.log.debug('bootstrap token refused', { id })
    return undefined // as if it were none, as upstream says it
  })
}

function userOf(secret: Readonly<Secret>, id: string, shown: string, now: number): User | 'invalid' {
  if (isBeingDeleted(secret) || secret.type !== bootstrapType) return 'invalid'
  const value = (key: string): string => Buffer.from(secret.data?.[key] ?? '', 'base64').toString()
  if (!same(value('token-secret'), shown) || value('token-id') !== id) return 'invalid'
  if (value('usage-bootstrap-authentication') !== 'true' || expired(value('expiration'), now)) return 'invalid'
  const extra = value('auth-extra-groups').split(',').filter((g) => g !== '')
  if (!extra.every((g) => groupForm.test(g))) return 'invalid'
  return { name: `system:bootstrap:${id}`, groups: [...new Set(['system:bootstrappers', ...extra, authenticatedGroup])] }
}

/** A date that cannot be read counts as past. */
function expired(text: string, now: number): boolean {
  if (text === '') return false
  const at = Date.parse(text)
  return Number.isNaN(at) || at <= now
}

function same(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return a !== '' && timingSafeEqual(digest(a), digest(b))
}
