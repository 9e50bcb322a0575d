/**
 * The community's groups (*.k8s.io) take only types that went through its review, which an annotation tells; whoever
 * tries something out says so there (pkg/apihelpers). For validation and for the condition that shows it.
 */
import { goQuote, invalidValue, path, required, type FieldError } from '../field.ts'
import type { CustomResourceDefinition } from '../schema/types.ts'

const approvedAnnotation = 'api-approved.kubernetes.io'

export type ApprovalState = 'missing' | 'bypassed' | 'approved' | 'invalid'

export interface Approval {
  readonly state: ApprovalState
  /** For people. */
  readonly reason: string
}

export function isProtectedGroup(group: string): boolean {
  return ['k8s.io', 'kubernetes.io'].some((domain) => group === domain || group.endsWith(`.${domain}`))
}

export function approvalOf(crd: Readonly<CustomResourceDefinition>): Approval {
  const annotation = crd.metadata.annotations?.[approvedAnnotation] ?? ''
  const must = `protected groups must have approval annotation ${goQuote(approvedAnnotation)}`
  const see = 'see https://github.com/kubernetes/enhancements/pull/1111'
  if (annotation === '') return { state: 'missing', reason: `${must}, ${see}` }
  if (annotation.startsWith('unapproved')) return { state: 'bypassed', reason: `not approved: ${goQuote(annotation)}` }
  if (isUrlWithHost(annotation)) return { state: 'approved', reason: `approved in ${annotation}` }
  return { state: 'invalid', reason: `${must} with either a URL or a reason starting with "unapproved", ${see}` }
}

const isUrlWithHost = (text: string): boolean => /^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?#\s]+/.test(text) && URL.canParse(text)

/** An annotation that was no better before is let through: who changes something else need not mend it. */
export function validateApproval(next: Readonly<CustomResourceDefinition>, prev: Readonly<CustomResourceDefinition> | undefined): readonly FieldError[] {
  if (!isProtectedGroup(next.spec.group)) return []
  const { state, reason } = approvalOf(next)
  if (prev !== undefined && approvalOf(prev).state === state) return []
  const at = path('metadata', 'annotations').key(approvedAnnotation)
  if (state === 'missing') return [required(at, reason)]
  return state === 'invalid' ? [invalidValue(at, next.metadata.annotations?.[approvedAnnotation] ?? '', reason)] : []
}
