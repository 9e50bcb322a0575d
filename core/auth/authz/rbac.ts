/**
 * RBAC: who may what by the roles bound to them. An index of bindings by subject
 * follows the objects; what a user may is gathered once and asked many times,
 * until any role or binding changes (plugin/pkg/auth/authorizer/rbac). How a
 * rule matches is rules.ts; the roles that come with a cluster are policy.ts.
 */
import { clusterRoleBindings } from '../../api/rbac/clusterrolebinding.ts'
import { clusterRoles } from '../../api/rbac/clusterrole.ts'
import { roleBindings } from '../../api/rbac/rolebinding.ts'
import { roles } from '../../api/rbac/role.ts'
import { goQuote } from '../../api/field.ts'
import type { ClusterRoleBinding, PolicyRule, RoleBinding, RoleRef, Subject } from '../../api/schema/types.ts'
import type { Changes } from '../lookup.ts'
import type { Attributes, Authorizer, Decision, User } from '../user.ts'
import { compact, quoteAll, ruleAllows, ruleText, uncovered } from './rules.ts'

/** What a user may do somewhere, as SelfSubjectRulesReview shows it. */
export interface RuleList {
  readonly rules: readonly Readonly<PolicyRule>[]
  /** What kept the list from being whole; '' when nothing did. */
  readonly error: string
}

export interface Rbac extends Authorizer {
  authorize(attributes: Attributes): Decision
  /** `namespace` '' : cluster-wide rules alone. */
  rulesFor(user: User, namespace: string): RuleList
  /** The rules behind a roleRef; a sentence when there is no such role. */
  rulesOf(ref: RoleRef, namespace: string): readonly Readonly<PolicyRule>[] | string
  /** Why the user may not hand out these rules: they do not hold them all. undefined: they may. */
  escalation(user: User, namespace: string, wanted: readonly Readonly<PolicyRule>[]): string | undefined
  /** Stops following. */
  stop(): void
}

interface Binding {
  readonly namespace: string
  readonly ref: RoleRef
  readonly keys: readonly (readonly [key: string, subject: Subject])[]
  readonly describe: (subject: Subject) => string
}

interface Grant {
  readonly rule: Readonly<PolicyRule>
  readonly reason: string
}

interface Access {
  readonly grants: readonly Grant[]
  readonly error: string
  /** Whether any rule names objects; if none does, decisions hold for every name. */
  readonly named: boolean
}

interface Remembered {
  generation: number
  readonly access: Map<string, Access>
  readonly decisions: Map<string, Decision>
}

/** Users whose rights are remembered; past this all are forgotten at once. */
const usersMax = 4_096
/** Decisions remembered for one user; past this they are forgotten at once. */
const decisionsMax = 8_192
/** Decisions remembered for all together; past this everything is forgotten at once. */
const decisionsOfAllMax = 262_144
/** Longer questions are no often asked ones, and are decided anew. */
const rememberedCharactersMax = 512

export function rbac(changes: Changes): Rbac {
  const index = new Index()
  const stops = [
    changes.follow(roles, ({ type, object }) => index.setRole(`${object.metadata.namespace}/${object.metadata.name}`, type === 'set' ? (object.rules ?? []) : undefined)),
    changes.follow(clusterRoles, ({ type, object }) => index.setRole(`/${object.metadata.name}`, type === 'set' ? (object.rules ?? []) : undefined)),
    changes.follow(roleBindings, ({ type, object }) => index.setBinding(bindingOf(object), bindingId(object), type === 'set')),
    changes.follow(clusterRoleBindings, ({ type, object }) => index.setBinding(bindingOf(object), bindingId(object), type === 'set')),
  ]
  const users = new Map<string, Remembered>()
  const ids = new WeakMap<User, string>()
  let decisions = 0

  const remembered = (user: User): Remembered => {
    let id = ids.get(user)
    if (id === undefined) ids.set(user, (id = JSON.stringify([user.name, ...user.groups])))
    let known = users.get(id)
    if (known?.generation !== index.generation) {
      if (users.size >= usersMax) users.clear()
      users.set(id, (known = { generation: index.generation, access: new Map(), decisions: new Map() }))
    }
    return known
  }
  const accessOf = (user: User, namespace: string, known: Remembered): Access => {
    // Senders may name ever new namespaces that are not there.
    const scope = index.hasBindings(namespace) ? namespace : ''
    let access = known.access.get(scope)
    if (access === undefined) known.access.set(scope, (access = index.access(user, scope)))
    return access
  }
  const rulesFor = (user: User, namespace: string): RuleList => {
    const access = accessOf(user, namespace, remembered(user))
    return { rules: access.grants.map((g) => g.rule), error: access.error }
  }
  return {
    rulesFor,
    rulesOf: (ref, namespace) => index.rulesOf(ref, namespace),
    stop: () => stops.forEach((s) => s.stop()),
    authorize(asked) {
      const known = remembered(asked.user)
      const namespace = asked.type === 'resource' ? asked.namespace : ''
      const access = accessOf(asked.user, namespace, known)
      const key = asked.type === 'path'
        ? `${asked.verb} ${asked.path}`
        : `${asked.verb} ${namespace} ${asked.group}/${asked.resource}/${asked.subresource} ${access.named ? asked.name : ''}`
      const before = known.decisions.get(key)
      if (before !== undefined) return before
      const decision = decide(access, asked)
      if (key.length > rememberedCharactersMax) return decision
      if (++decisions > decisionsOfAllMax) {
        users.clear()
        decisions = 0
      }
      if (known.decisions.size >= decisionsMax) known.decisions.clear()
      known.decisions.set(key, decision)
      return decision
    },
    escalation(user, namespace, wanted) {
      const { rules, error } = rulesFor(user, namespace)
      const missing = uncovered(rules, wanted)
      if (missing.length === 0) return undefined
      const lines = [...new Set(compact(missing).map(ruleText))].toSorted()
      return `user ${goQuote(user.name)} (groups=${quoteAll(user.groups)}) is attempting to grant RBAC permissions not currently held:\n${lines.join('\n')}` +
        (error === '' ? '' : `; resolution errors: [${error}]`)
    },
  }
}

function decide(access: Access, asked: Attributes): Decision {
  const grant = access.grants.find((g) => ruleAllows(g.rule, asked))
  if (grant !== undefined) return { answer: 'allow', reason: grant.reason }
  return { answer: 'no opinion', reason: access.error === '' ? '' : `RBAC: ${access.error}` }
}

class Index {
  generation = 0
  /** By `namespace/name`; cluster roles under `/name`. */
  readonly #rules = new Map<string, readonly Readonly<PolicyRule>[]>()
  readonly #bindings = new Map<string, Binding>()
  /** Bindings by namespace ('' for cluster-wide ones), then by subject. */
  readonly #bySubject = new Map<string, Map<string, Set<Binding>>>()

  setRole(id: string, rules: readonly PolicyRule[] | undefined): void {
    this.generation++
    if (rules === undefined) this.#rules.delete(id)
    else this.#rules.set(id, rules)
  }

  setBinding(binding: Binding, id: string, there: boolean): void {
    this.generation++
    const before = this.#bindings.get(id)
    if (before !== undefined) this.#drop(before)
    this.#bindings.delete(id)
    if (!there) return
    this.#bindings.set(id, binding)
    if (binding.keys.length === 0) return
    const subjects = this.#bySubject.get(binding.namespace) ?? new Map<string, Set<Binding>>()
    this.#bySubject.set(binding.namespace, subjects)
    for (const [key] of binding.keys) {
      const set = subjects.get(key)
      if (set === undefined) subjects.set(key, new Set([binding]))
      else set.add(binding)
    }
  }

  /** Nothing stays of what has no bindings any more. */
  #drop(binding: Binding): void {
    const subjects = this.#bySubject.get(binding.namespace)
    for (const [key] of binding.keys) {
      const set = subjects?.get(key)
      set?.delete(binding)
      if (set?.size === 0) subjects?.delete(key)
    }
    if (subjects?.size === 0) this.#bySubject.delete(binding.namespace)
  }

  /** Where there are none, rights are those of the whole cluster. */
  hasBindings(namespace: string): boolean {
    return this.#bySubject.has(namespace)
  }

  rulesOf(ref: RoleRef, namespace: string): readonly Readonly<PolicyRule>[] | string {
    if (ref.kind === 'ClusterRole') return this.#rules.get(`/${ref.name}`) ?? `clusterrole.rbac.authorization.k8s.io ${goQuote(ref.name)} not found`
    if (ref.kind === 'Role') return this.#rules.get(`${namespace}/${ref.name}`) ?? `role.rbac.authorization.k8s.io ${goQuote(ref.name)} not found`
    return `unsupported role reference kind: ${goQuote(ref.kind)}`
  }

  /** Cluster-wide grants first, as upstream asks them. */
  access(user: User, namespace: string): Access {
    const grants: Grant[] = []
    const errors = new Set<string>()
    for (const scope of namespace === '' ? [''] : ['', namespace]) {
      for (const [binding, subject] of this.#boundTo(user, scope)) {
        const rules = this.rulesOf(binding.ref, scope)
        if (typeof rules === 'string') errors.add(rules)
        else {
          const reason = `RBAC: allowed by ${binding.describe(subject)}`
          grants.push(...rules.map((rule) => ({ rule, reason })))
        }
      }
    }
    const list = [...errors]
    return {
      grants,
      error: list.length > 1 ? `[${list.join(', ')}]` : (list[0] ?? ''),
      named: grants.some((g) => (g.rule.resourceNames ?? []).length > 0),
    }
  }

  #boundTo(user: User, scope: string): Map<Binding, Subject> {
    const subjects = this.#bySubject.get(scope)
    const found = new Map<Binding, Subject>()
    if (subjects === undefined) return found
    const keys = new Set([`u:${user.name}`, ...user.groups.map((g) => `g:${g}`)])
    for (const key of keys) {
      for (const binding of subjects.get(key) ?? []) {
        if (found.has(binding)) continue
        const first = binding.keys.find(([k]) => keys.has(k))
        if (first !== undefined) found.set(binding, first[1])
      }
    }
    return found
  }
}

function bindingId(object: Readonly<RoleBinding | ClusterRoleBinding>): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name ?? ''}`
}

function bindingOf(object: Readonly<RoleBinding | ClusterRoleBinding>): Binding {
  const { namespace = '', name = '' } = object.metadata
  const ref = object.roleRef
  // name before namespace: upstream's own spelling (pkg/registry/rbac/validation/rule.go)
  const head = namespace === '' ? `ClusterRoleBinding ${goQuote(name)}` : `RoleBinding ${goQuote(`${name}/${namespace}`)}`
  return {
    namespace,
    ref,
    keys: (object.subjects ?? []).flatMap((s) => {
      const key = subjectKey(s, namespace)
      return key === undefined ? [] : [[key, s] as const]
    }),
    describe: (s) => `${head} of ${ref.kind} ${goQuote(ref.name)} to ${s.kind} ${goQuote(s.kind === 'ServiceAccount' ? `${s.name}/${s.namespace ?? namespace}` : s.name)}`,
  }
}

function subjectKey(subject: Subject, bindingNamespace: string): string | undefined {
  if (subject.kind === 'User') return `u:${subject.name}`
  if (subject.kind === 'Group') return `g:${subject.name}`
  const namespace = (subject.namespace ?? '') === '' ? bindingNamespace : subject.namespace
  return subject.kind === 'ServiceAccount' && namespace !== '' ? `u:system:serviceaccount:${namespace}:${subject.name}` : undefined
}
