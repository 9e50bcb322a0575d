/**
 * Running a request as somebody else. Constrained impersonation is tried first: it asks for the right to be that sort of
 * user, and to do just this as one; then the older way, which asks for the user alone
 * (k8s.io/apiserver/pkg/endpoints/filters/impersonation). Whom the headers name is wanted.ts.
 */
import { domainPath } from '../api/checks.ts'
import { ApiError } from '../api/errors.ts'
import { goQuote, path, type FieldError } from '../api/field.ts'
import { dns1123Label, dns1123Subdomain } from '../api/names.ts'
import { anonymous, authenticatedGroup } from '../auth/authn/authenticators.ts'
import { mastersGroup, refused } from '../auth/authz/authorizers.ts'
import type { Attributes, Authorizer, ResourceAttributes, User } from '../auth/user.ts'
import type { Wanted } from './wanted.ts'

export interface Impersonated {
  readonly user: User
  /** The verb that allowed it; '' for the older way. */
  readonly constraint: string
}

interface Mode {
  /** '' is the older way. */
  readonly name: string
  readonly applies: (wanted: Wanted, sender: User) => boolean
}

const modes: readonly Mode[] = [
  { name: 'associated-node', applies: (wanted, sender) => isBare(wanted) && isOnNode(sender, nodeName(wanted.name)) },
  { name: 'arbitrary-node', applies: (wanted) => isBare(wanted) && nodeName(wanted.name) !== undefined },
  { name: 'serviceaccount', applies: (wanted) => isBare(wanted) && accountOf(wanted.name) !== undefined },
  { name: 'user-info', applies: ({ name }) => nodeName(name) === undefined && accountOf(name) === undefined },
  { name: '', applies: () => true },
]

/** Which mode let a sender through last: asked first the next time. By the server's authorizer, then by the sender's name. */
const lastModes = new WeakMap<Authorizer, Map<string, Mode>>()
const sendersMax = 10_000

/** `asked` is what the request wants, as its sender. Throws 403 with the reason of the first mode. */
export async function impersonate(authorizer: Authorizer, wanted: Wanted, asked: Attributes): Promise<Impersonated> {
  const last = lastModes.get(authorizer) ?? new Map<string, Mode>()
  lastModes.set(authorizer, last)
  const first = last.get(asked.user.name)
  let refusal: ApiError | undefined
  for (const mode of first === undefined ? modes : [first, ...modes.filter((one) => one !== first)]) {
    if (!mode.applies(wanted, asked.user)) continue
    try {
      const found = await new Attempt(authorizer, mode.name, wanted, asked).run()
      if (last.size >= sendersMax) last.clear()
      last.set(asked.user.name, mode)
      return found
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      refusal ??= error
    }
  }
  throw refusal ?? refused(asked, '')
}

/** From so many on, the right to all of them is asked for first. */
const manyFrom = 4
const authenticationGroup = 'authentication.k8s.io'

/** One mode's questions. Each throws 403. */
class Attempt {
  readonly #authorizer: Authorizer
  readonly #mode: string
  readonly #wanted: Wanted
  readonly #asked: Attributes
  readonly #sender: User
  readonly #verb: string
  /** Of users, accounts, nodes and groups. */
  readonly #group: string

  constructor(authorizer: Authorizer, mode: string, wanted: Wanted, asked: Attributes) {
    this.#authorizer = authorizer
    this.#mode = mode
    this.#wanted = wanted
    this.#asked = asked
    this.#sender = mode === 'associated-node' ? anyNodeOf(asked.user) : asked.user
    this.#verb = mode === '' ? 'impersonate' : `impersonate:${mode}`
    this.#group = mode === '' ? '' : authenticationGroup
  }

  async run(): Promise<Impersonated> {
    if (this.#isConstrained) await this.#ask({ ...this.#asked, user: this.#sender, verb: `impersonate-on:${this.#mode}:${this.#asked.verb}` })
    const own = await this.#name()
    const { name, uid, extra } = this.#wanted
    if (uid !== '') await this.#ask(this.#right(authenticationGroup, 'uids', uid))
    await this.#groups()
    await this.#extra()
    const user = {
      name,
      groups: withImplied(name, own),
      ...(uid === '' ? {} : { uid }),
      ...(Object.keys(extra).length === 0 ? {} : { extra }),
    }
    return { user, constraint: this.#isConstrained ? this.#verb : '' }
  }

  get #isConstrained(): boolean {
    return this.#mode !== ''
  }

  /** The groups that come with the name, or those asked for. */
  async #name(): Promise<readonly string[]> {
    const { name, groups } = this.#wanted
    const account = accountOf(name)
    const node = this.#isConstrained ? nodeName(name) : undefined
    if (node !== undefined) await this.#ask(this.#right(this.#group, 'nodes', this.#mode === 'associated-node' ? '*' : node))
    else if (account === undefined) await this.#ask(this.#right(this.#group, 'users', name))
    else await this.#ask({ ...this.#right(this.#group, 'serviceaccounts', account.name), namespace: account.namespace })
    if (node !== undefined) return ['system:nodes']
    return account !== undefined && groups.length === 0 ? ['system:serviceaccounts', `system:serviceaccounts:${account.namespace}`] : groups
  }

  async #groups(): Promise<void> {
    const { groups } = this.#wanted
    if (this.#isConstrained) {
      if (groups.includes('')) throw refused(this.#right(this.#group, 'groups', ''), 'impersonating the empty string group is not allowed')
      if (groups.includes(mastersGroup)) throw refused(this.#right(this.#group, 'groups', mastersGroup), 'impersonating the system:masters group is not allowed')
      if (groups.length >= manyFrom && (await this.#may(this.#right(this.#group, 'groups', '*')))) return
    }
    for (const group of groups) await this.#ask(this.#right(this.#group, 'groups', group))
  }

  async #extra(): Promise<void> {
    const { extra } = this.#wanted
    const entries = Object.entries(extra)
    if (this.#isConstrained && entries.length > 0) {
      const wrong = extraProblem(extra)
      if (wrong !== undefined) throw refused(this.#right(authenticationGroup, 'userextras', ''), wrong)
      const isLarge = entries.length >= manyFrom || entries.flatMap(([, values]) => values).length >= manyFrom
      if (isLarge && (await this.#may({ ...this.#right(authenticationGroup, 'userextras', '*'), subresource: '*' }))) return
    }
    for (const [key, values] of entries) {
      for (const value of values) await this.#ask({ ...this.#right(authenticationGroup, 'userextras', value), subresource: key })
    }
  }

  #right(group: string, resource: string, name: string): ResourceAttributes {
    return { type: 'resource', user: this.#sender, verb: this.#verb, group, version: 'v1', resource, subresource: '', namespace: '', name }
  }

  async #may(asked: Attributes): Promise<boolean> {
    return (await this.#authorizer.authorize(asked)).answer === 'allow'
  }

  async #ask(asked: Attributes): Promise<void> {
    const { answer, reason, error } = await this.#authorizer.authorize(asked)
    if (answer !== 'allow') throw refused(asked, [error ?? '', reason].filter((text) => text !== '').join(': '))
  }
}

function extraProblem(extra: Wanted['extra']): string | undefined {
  for (const [key, values] of Object.entries(extra)) {
    if (key === '') return 'impersonating the empty string key in extra is not allowed'
    const errors: FieldError[] = []
    domainPath(errors, key, path('extra', 'key'))
    if (errors.length > 0) return `impersonating an invalid key in extra is not allowed: ${errors.map((error) => error.message()).join(', ')}`
    if (key !== key.toLowerCase()) return `impersonating a non-lowercase key in extra is not allowed: ${goQuote(key)}`
    if (values.length === 0) return 'impersonating empty values in extra is not allowed'
    if (values.includes('')) return 'impersonating the empty string value in extra is not allowed'
  }
  return undefined
}

function withImplied(name: string, groups: readonly string[]): readonly string[] {
  const implied = name === anonymous.name ? 'system:unauthenticated' : authenticatedGroup
  return groups.includes(implied) || groups.includes('system:unauthenticated') ? groups : [...groups, implied]
}

function isBare({ uid, groups, extra }: Wanted): boolean {
  return uid === '' && groups.length === 0 && Object.keys(extra).length === 0
}

const nodePrefix = 'system:node:'

function nodeName(user: string): string | undefined {
  const name = user.startsWith(nodePrefix) ? user.slice(nodePrefix.length) : ''
  return name !== '' && dns1123Subdomain(name).length === 0 ? name : undefined
}

function accountOf(user: string): { readonly namespace: string; readonly name: string } | undefined {
  const [, namespace = '', name = ''] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(user) ?? []
  return namespace !== '' && dns1123Label(namespace).length === 0 && dns1123Subdomain(name).length === 0 ? { namespace, name } : undefined
}

/** A service account whose token is bound to the node. */
function isOnNode(sender: User, node: string | undefined): boolean {
  const on = sender.extra?.['authentication.kubernetes.io/node-name'] ?? []
  return node !== undefined && accountOf(sender.name) !== undefined && on.length === 1 && on[0] === node
}

/** The right must hold on whichever node the account is, so that nothing of this one is shown. */
function anyNodeOf(sender: User): User {
  return { ...sender, extra: { 'authentication.kubernetes.io/associated-node-keys': Object.keys(sender.extra ?? {}).toSorted() } }
}
