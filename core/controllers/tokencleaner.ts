/** Removes bootstrap tokens when their time is over (upstream's bootstrap/tokencleaner.go). */
import { secrets } from '../api/core/secret.ts'
import { keyOf } from '../api/meta.ts'
import type { Secret } from '../api/schema/types.ts'
import { parseTime } from '../api/time.ts'
import type { Controller } from './controller.ts'
import { itself } from './run.ts'

const namespace = 'kube-system'
const selection = { namespace, fieldSelector: 'type=bootstrap.kubernetes.io/token' }

export const tokenCleaner: Controller = {
  name: 'token-cleaner',
  setUp(env) {
    const lister = env.watch(secrets, itself, selection)
    return async (ctx, key, client) => {
      const secret = lister.at(key)
      const ends = secret === undefined ? undefined : expirationOf(secret)
      if (secret === undefined || ends === undefined) return
      const left = ends - env.clock.now()
      if (left > 0) return env.queue.after(key, left)
      const { uid } = secret.metadata
      await client.delete(ctx, secrets, keyOf(secret), uid === undefined ? {} : { preconditions: { uid } })
    }
  },
}

/** Milliseconds since the epoch; undefined: it does not end. What cannot be read counts as over. */
export function expirationOf(secret: Readonly<Secret>): number | undefined {
  const text = secret.data?.['expiration']
  if (text === undefined || text === '') return undefined
  return parseTime(atob(text)) ?? 0
}
