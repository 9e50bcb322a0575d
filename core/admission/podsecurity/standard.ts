/**
 * The pod security standards as a table of checks: which level, since which minor version, what they replace
 * (k8s.io/pod-security-admission/policy). Pure: a pod goes in, violations come out. The checks are baseline.ts and restricted.ts.
 */
import type { Container, ObjectMeta, PodSpec } from '../../api/schema/types.ts'
import { baselineChecks } from './baseline.ts'
import { restrictedChecks } from './restricted.ts'

export type Level = 'privileged' | 'baseline' | 'restricted'

export interface Standard {
  readonly level: Level
  /** latest or v1.<minor>. */
  readonly version: string
}

export interface Subject {
  readonly annotations: Readonly<Record<string, string>>
  readonly spec: Readonly<PodSpec>
  readonly containers: readonly Readonly<Container>[]
}

export interface Violation {
  readonly reason: string
  readonly detail: string
}

export interface Check {
  readonly id: string
  /** By minor version, rising: the last one not above the asked version counts. */
  readonly since: readonly (readonly [minor: number, check: (pod: Subject) => Violation | undefined])[]
  readonly replaces?: string
}

export function violations(standard: Standard, meta: Readonly<ObjectMeta>, spec: Readonly<PodSpec>): readonly Violation[] {
  if (standard.level === 'privileged') return []
  const minor = standard.version === 'latest' ? Infinity : Number(standard.version.slice('v1.'.length))
  const containers = [...(spec.initContainers ?? []), ...spec.containers, ...((spec.ephemeralContainers ?? []) as readonly Container[])]
  const pod = { annotations: meta.annotations ?? {}, spec, containers }
  const strict = standard.level === 'restricted' ? restrictedChecks.filter((c) => (c.since[0]?.[0] ?? 0) <= minor) : []
  const replaced = new Set(strict.map((c) => c.replaces))
  return [...baselineChecks.filter((c) => !replaced.has(c.id)), ...strict].flatMap((check) => check.since.findLast(([from]) => from <= minor)?.[1](pod) ?? [])
}

/** `host namespaces (hostPID=true), privileged (container "a" must not ...)`. */
export function detailOf(found: readonly Violation[]): string {
  return found.map((v) => (v.detail === '' ? v.reason : `${v.reason} (${v.detail})`)).join(', ')
}

export function reasonOf(found: readonly Violation[]): string {
  return found.map((v) => v.reason).join(', ')
}
