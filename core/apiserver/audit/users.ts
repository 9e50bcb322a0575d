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
  return a.uid === b.uid && sameTexts(a.groups, b.groups) && sameExtra(a.extra, b.extra)
}

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  if (a === b) return true
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

function sameExtra(a: User['extra'], b: User['extra']): boolean {
  if (a === b) return true
  if (a === undefined || b === undefined) return false
  let keys = 0
  for (const key in a) {
    const other = b[key]
    if (other === undefined || !sameTexts(a[key] ?? [], other)) return false
    keys++
  }
  for (const _key in b) keys--
  return keys === 0
}
