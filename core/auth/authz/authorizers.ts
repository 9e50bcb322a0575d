/**
 * Authorization as a whole: a few open paths, system:masters, then nodes, then
 * RBAC; and the sentence of a refusal. The server asks authorizer(); rules of one
 * user (SelfSubjectRulesReview) are rulesFor().
 */
import { forbidden, type ApiError } from '../../api/errors.ts'
import { goQuote } from '../../api/field.ts'
import type { NonResourceRule, PolicyRule, ResourceRule } from '../../api/schema/types.ts'
import type { Attributes, Authorizer, Decision, User } from '../user.ts'
import { nodeNameOf } from './node.ts'
import type { Rbac } from './rbac.ts'

export const mastersGroup = 'system:masters'

const allowed: Decision = Object.freeze({ answer: 'allow', reason: '' })
/** Answered to everybody, whoever asks (upstream's --authorization-always-allow-paths). */
const openPaths = new Set(['/healthz', '/livez', '/readyz'])

export const privileged: Authorizer = {
  authorize(asked) {
    if (asked.user.groups.includes(mastersGroup)) return allowed
    return asked.type === 'path' && openPaths.has(asked.path) ? allowed : { answer: 'no opinion', reason: '' }
  },
}

/** The first opinion counts; without one the request is refused with all reasons. Synchronous as long as its parts are. */
export function unionAuthorizer(parts: readonly Authorizer[]): Authorizer {
  const from = (i: number, asked: Attributes, reasons: readonly string[]): Decision | Promise<Decision> => {
    const part = parts[i]
    if (part === undefined) return { answer: 'no opinion', reason: reasons.join('\n') }
    const go = (d: Decision): Decision | Promise<Decision> =>
      d.answer === 'no opinion' ? from(i + 1, asked, d.reason === '' ? reasons : [...reasons, d.reason]) : d
    const answer = part.authorize(asked)
    return answer instanceof Promise ? answer.then(go) : go(answer)
  }
  return { authorize: (asked) => from(0, asked, []) }
}

export interface RulesStatus {
  readonly resourceRules: readonly ResourceRule[]
  readonly nonResourceRules: readonly NonResourceRule[]
  readonly incomplete: boolean
  readonly evaluationError?: string
}

/** Status of a SelfSubjectRulesReview. */
export function rulesFor(rbac: Rbac, user: User, namespace: string): RulesStatus {
  const { rules, error } = rbac.rulesFor(user, namespace)
  const errors = [...(nodeNameOf(user) === undefined ? [] : ['node authorizer does not support user rule resolution']), ...(error === '' ? [] : [error])]
  return {
    resourceRules: rules.filter((r) => (r.resources ?? []).length > 0).map(resourceRule),
    nonResourceRules: rules.filter((r) => (r.nonResourceURLs ?? []).length > 0).map((r) => ({ verbs: r.verbs, nonResourceURLs: r.nonResourceURLs ?? [] })),
    incomplete: errors.length > 0,
    ...(errors.length === 0 ? {} : { evaluationError: errors.length === 1 ? (errors[0] ?? '') : `[${errors.join(', ')}]` }),
  }
}

function resourceRule(rule: Readonly<PolicyRule>): ResourceRule {
  return {
    verbs: rule.verbs,
    ...(rule.apiGroups === undefined ? {} : { apiGroups: rule.apiGroups }),
    ...(rule.resources === undefined ? {} : { resources: rule.resources }),
    ...(rule.resourceNames === undefined || rule.resourceNames.length === 0 ? {} : { resourceNames: rule.resourceNames }),
  }
}

/** 403 as upstream says it (apiserver endpoints/handlers/responsewriters/errors.go). */
export function refused(asked: Attributes, reason: string): ApiError {
  const tail = reason === '' ? '' : `: ${reason}`
  const who = `User ${goQuote(asked.user.name)}`
  if (asked.type === 'path') return forbidden({ group: '', resource: '' }, '', `${who} cannot ${asked.verb} path ${goQuote(asked.path)}${tail}`)
  const what = asked.subresource === '' ? asked.resource : `${asked.resource}/${asked.subresource}`
  const where = asked.namespace === '' ? 'at the cluster scope' : `in the namespace ${goQuote(asked.namespace)}`
  const text = `${who} cannot ${asked.verb} resource ${goQuote(what)} in API group ${goQuote(asked.group)} ${where}${tail}`
  return forbidden({ group: asked.group, resource: asked.resource }, asked.name, text)
}
