/** Whom a request wants to run as: its Impersonate-* headers, as they stand (k8s.io/apiserver/pkg/endpoints/filters/impersonation). */
import { badRequest } from '../api/errors.ts'
import { goQuote } from '../api/field.ts'
import type { Incoming } from './exchange.ts'

export interface Wanted {
  readonly name: string
  /** '' for none. */
  readonly uid: string
  readonly groups: readonly string[]
  readonly extra: Readonly<Record<string, readonly string[]>>
}

const extraPrefix = 'impersonate-extra-'

/** Undefined: nobody else. Throws 400 for headers without a user's name. */
export function wantedUser(request: Incoming): Wanted | undefined {
  const name = request.header('impersonate-user') ?? ''
  const uid = request.header('impersonate-uid') ?? ''
  const groups = request.headers('impersonate-group')
  const extra = extraOf(request)
  if (name !== '') return { name, uid, groups, extra }
  if (uid === '' && groups.length === 0 && Object.keys(extra).length === 0) return undefined
  const shownGroups = groups.length === 0 ? '[]string(nil)' : goStrings(groups)
  throw badRequest(`requested &user.DefaultInfo{Name:"", UID:${goQuote(uid)}, Groups:${shownGroups}, Extra:${goMap(extra)}} without impersonating a user name`)
}

function extraOf(request: Incoming): Readonly<Record<string, readonly string[]>> {
  const extra: Record<string, readonly string[]> = {}
  for (const name of request.headerNames()) {
    if (name.startsWith(extraPrefix)) extra[unescaped(name.slice(extraPrefix.length))] = request.headers(name)
  }
  return extra
}

function unescaped(key: string): string {
  try {
    return decodeURIComponent(key)
  } catch {
    return key // as it stands, as upstream takes it
  }
}

/** Go's %#v. */
function goStrings(values: readonly string[]): string {
  return `[]string{${values.map(goQuote).join(', ')}}`
}

function goMap(extra: Wanted['extra']): string {
  const entries = Object.entries(extra).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return entries.length === 0 ? 'map[string][]string(nil)' : `map[string][]string{${entries.map(([key, values]) => `${goQuote(key)}:${goStrings(values)}`).join(', ')}}`
}
