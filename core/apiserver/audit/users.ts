/** Users as events show them, made once for as long as the same users come again and again. */
import type { User } from '../../auth/user.ts'

const known = new Map<string, { readonly user: User; readonly text: string }>()
const knownMax = 1_000

export function userText(user: User): string {
  const last = known.get(user.name)
  if (last !== undefined && same(last.user, user)) return last.text
  const text = JSON.stringify({
    username: user.name,
    ...(user.uid === undefined || user.uid === '' ? {} : { uid: user.uid }),
    groups: user.groups,
    ...(user.extra === undefined || Object.keys(user.extra).length === 0 ? {} : { extra: user.extra }),
  })
  if (known.size >= knownMax) known.clear()
  known.set(user.name, { user, text })
  return text
}

function same(a: User, b: User): boolean {
  if (a === b) return true
  if (a.uid !== b.uid || a.extra !== b.extra || a.groups.length !== b.groups.length) return false
  for (let i = 0; i < a.groups.length; i++) if (a.groups[i] !== b.groups[i]) return false
  return true
}
