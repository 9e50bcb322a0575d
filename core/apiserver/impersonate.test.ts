import { describe, expect, it } from 'vitest'
import type { Attributes, Authorizer, User } from '../auth/user.ts'
import { impersonate } from './impersonate.ts'
import type { Wanted } from './wanted.ts'

const sender: User = { name: 'operator', groups: ['ops'] }
const onNode: User = { name: 'system:serviceaccount:ns:agent', groups: [], extra: { 'authentication.kubernetes.io/node-name': ['n1'], 'authentication.kubernetes.io/pod-name': ['p'] } }
const list = (user: User): Attributes => ({ type: 'resource', user, verb: 'list', group: '', version: 'v1', resource: 'pods', subresource: '', namespace: 'ns', name: '' })
const as = (name: string, more: Partial<Wanted> = {}): Wanted => ({ name, uid: '', groups: [], extra: {}, ...more })

function textOf(asked: Attributes): string {
  if (asked.type === 'path') return `${asked.verb} ${asked.path}`
  const resource = asked.subresource === '' ? asked.resource : `${asked.resource}/${asked.subresource}`
  return `${asked.verb} ${asked.group === '' ? '' : `${asked.group}/`}${resource} ${asked.namespace === '' ? '' : `${asked.namespace}/`}${asked.name}`.trim()
}

/** Allows these, and notes what it is asked. */
function allowing(...rights: readonly string[]): Authorizer & { readonly heard: string[]; readonly users: User[] } {
  const heard: string[] = []
  const users: User[] = []
  return {
    heard,
    users,
    authorize(asked) {
      heard.push(textOf(asked))
      users.push(asked.user)
      return { answer: rights.includes(textOf(asked)) ? 'allow' : 'no opinion', reason: '' }
    },
  }
}

const group = 'authentication.k8s.io'

describe('impersonation', () => {
  it.each<[string, Wanted, readonly string[], User, string]>([
    ['a user', as('jane'), ['impersonate-on:user-info:list pods ns/', `impersonate:user-info ${group}/users jane`], { name: 'jane', groups: ['system:authenticated'] }, 'impersonate:user-info'],
    ['a user, the older way', as('jane', { uid: '1' }), ['impersonate users jane', `impersonate ${group}/uids 1`], { name: 'jane', uid: '1', groups: ['system:authenticated'] }, ''],
    ['a group', as('jane', { groups: ['g'] }), ['impersonate-on:user-info:list pods ns/', `impersonate:user-info ${group}/users jane`, `impersonate:user-info ${group}/groups g`], { name: 'jane', groups: ['g', 'system:authenticated'] }, 'impersonate:user-info'],
    ['many groups', as('jane', { groups: ['a', 'b', 'c', 'd'] }), ['impersonate-on:user-info:list pods ns/', `impersonate:user-info ${group}/users jane`, `impersonate:user-info ${group}/groups *`], { name: 'jane', groups: ['a', 'b', 'c', 'd', 'system:authenticated'] }, 'impersonate:user-info'],
    ['more', as('jane', { extra: { 'a.b/c': ['x'] } }), ['impersonate-on:user-info:list pods ns/', `impersonate:user-info ${group}/users jane`, `impersonate:user-info ${group}/userextras/a.b/c x`], { name: 'jane', groups: ['system:authenticated'], extra: { 'a.b/c': ['x'] } }, 'impersonate:user-info'],
    ['a node', as('system:node:n1'), ['impersonate-on:arbitrary-node:list pods ns/', `impersonate:arbitrary-node ${group}/nodes n1`], { name: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] }, 'impersonate:arbitrary-node'],
    ['an account', as('system:serviceaccount:a:b'), ['impersonate-on:serviceaccount:list pods ns/', `impersonate:serviceaccount ${group}/serviceaccounts a/b`], { name: 'system:serviceaccount:a:b', groups: ['system:serviceaccounts', 'system:serviceaccounts:a', 'system:authenticated'] }, 'impersonate:serviceaccount'],
    ['an account, the older way', as('system:serviceaccount:a:b'), ['impersonate serviceaccounts a/b'], { name: 'system:serviceaccount:a:b', groups: ['system:serviceaccounts', 'system:serviceaccounts:a', 'system:authenticated'] }, ''],
    ['nobody', as('system:anonymous'), ['impersonate users system:anonymous'], { name: 'system:anonymous', groups: ['system:unauthenticated'] }, ''],
  ])('of %s needs its rights, and each of them', async (_what, wanted, rights, user, constraint) => {
    expect(await impersonate(allowing(...rights), wanted, list(sender))).toEqual({ user, constraint })
    for (const one of rights) await expect(impersonate(allowing(...rights.filter((right) => right !== one)), wanted, list(sender))).rejects.toMatchObject({ code: 403 })
  })

  it('of the own node is asked for all nodes, and shows nothing of this one', async () => {
    const authorizer = allowing('impersonate-on:associated-node:list pods ns/', `impersonate:associated-node ${group}/nodes *`)
    expect(await impersonate(authorizer, as('system:node:n1'), list(onNode))).toMatchObject({ user: { name: 'system:node:n1' }, constraint: 'impersonate:associated-node' })
    expect(authorizer.users[0]?.extra).toEqual({ 'authentication.kubernetes.io/associated-node-keys': ['authentication.kubernetes.io/node-name', 'authentication.kubernetes.io/pod-name'] })
    await expect(impersonate(authorizer, as('system:node:n2'), list(onNode))).rejects.toMatchObject({ code: 403 })
  })

  it('is refused with the reason of the first way, and what let a sender through is tried first the next time', async () => {
    const authorizer = allowing('impersonate users jane')
    await expect(impersonate(authorizer, as('joe'), list(sender))).rejects.toThrow('pods is forbidden: User "operator" cannot impersonate-on:user-info:list resource "pods" in API group "" in the namespace "ns"')
    await impersonate(authorizer, as('jane'), list(sender))
    authorizer.heard.length = 0
    await impersonate(authorizer, as('jane'), list(sender))
    expect(authorizer.heard).toEqual(['impersonate users jane'])
    await expect(impersonate(authorizer, as('joe'), list(sender))).rejects.toThrow('users "joe" is forbidden: User "operator" cannot impersonate resource "users" in API group "" at the cluster scope')
  })

  it.each<[Partial<Wanted>, string]>([
    [{ groups: ['system:masters'] }, 'impersonating the system:masters group is not allowed'],
    [{ groups: [''] }, 'impersonating the empty string group is not allowed'],
    [{ extra: { team: ['a'] } }, 'impersonating an invalid key in extra is not allowed: extra.key: Invalid value: "team": must be a domain-prefixed path (such as "acme.io/foo")'],
    [{ extra: { 'a.b/c': [''] } }, 'impersonating the empty string value in extra is not allowed'],
  ])('constrained, is never of %j', async (more, reason) => {
    const authorizer = allowing('impersonate-on:user-info:list pods ns/', `impersonate:user-info ${group}/users jane`)
    await expect(impersonate(authorizer, as('jane', more), list(sender))).rejects.toThrow(reason)
  })
})
