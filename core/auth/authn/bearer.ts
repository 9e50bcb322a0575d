/**
 * Bearer tokens, whoever made them: each way of knowing one is asked in turn, for signing in and for TokenReview
 * (k8s.io/apiserver/pkg/authentication/token/union, request/bearertoken). The ways are files beside this one.
 */
import type { Ctx } from '../../lib/ctx.ts'
import type { Authenticator, User } from '../user.ts'
import type { Reviewed } from './serviceaccount.ts'

/** Undefined: it is no token of this sort; a sentence when it is one and does not hold. */
export type Reviewal = Reviewed | { readonly error: string } | undefined

export interface TokenWay {
  review(ctx: Ctx, token: string, audiences: readonly string[]): Promise<Reviewal>
}

export interface BearerTokens extends Authenticator {
  /** Without audiences, those of the API server are meant. */
  review(ctx: Ctx, token: string, audiences: readonly string[]): Promise<Exclude<Reviewal, undefined>>
}

const unknown = 'invalid bearer token'

/** `audiences` mean this API server. */
export function bearerTokens(ways: readonly TokenWay[], audiences: readonly string[]): BearerTokens {
  const review: BearerTokens['review'] = async (ctx, token, asked) => {
    const errors: string[] = []
    for (const way of ways) {
      const answer = await way.review(ctx, token, asked.length > 0 ? asked : audiences)
      if (answer !== undefined && !('error' in answer)) return answer
      if (answer !== undefined && !errors.includes(answer.error)) errors.push(answer.error)
    }
    return { error: errors.length === 0 ? unknown : `[${[unknown, ...errors].join(', ')}]` }
  }
  return {
    review,
    async authenticate(ctx, { bearerToken }) {
      if (bearerToken === undefined) return undefined
      const answer = await review(ctx, bearerToken, audiences)
      if (!('error' in answer)) return answer.user
      ctx.log.debug('bearer token refused', { why: answer.error })
      return 'invalid'
    },
  }
}

/** A way that knows nothing of audiences: its tokens are for the API server, and for nobody else. */
export function audienceAgnostic(audiences: readonly string[], of: (ctx: Ctx, token: string) => Promise<User | { readonly error: string } | undefined>): TokenWay {
  return {
    async review(ctx, token, asked) {
      const met = audiences.filter((audience) => asked.includes(audience))
      if (met.length === 0) return undefined
      const user = await of(ctx, token)
      return user === undefined || 'error' in user ? user : { user, audiences: met }
    },
  }
}
