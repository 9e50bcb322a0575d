/** Subjects of role bindings as columns show them. */
import type { Subject } from '../schema/types.ts'

/** Names of one kind of subject, comma separated; service accounts as namespace/name. */
export function subjectNames(binding: { readonly subjects?: readonly Readonly<Subject>[] }, kind: string): string {
  const subjects = (binding.subjects ?? []).filter((s) => s.kind === kind)
  return subjects.map((s) => (kind === 'ServiceAccount' ? `${s.namespace}/${s.name}` : s.name)).join(', ')
}
