/** What events about a resize say: the resources of all containers, as JSON in Go's order of fields. Pure (pkg/kubelet/events/resize.go). */
import type { Container, Pod, ResourceRequirements } from '../../../core/api/schema/types.ts'

export function resizeMessage(prefix: string, { spec }: Readonly<Pod>, generation: number | undefined, error = ''): string {
  const list = (name: string, containers: readonly Container[] = []): object => (containers.length === 0 ? {} : { [name]: containers.map(({ name, resources }) => ({ name, resources: ordered(resources) })) })
  return `${prefix}: ${JSON.stringify({ ...list('initContainers', spec?.initContainers), ...list('containers', spec?.containers), generation: generation ?? 0, ...(error === '' ? {} : { error }) })}`
}

function ordered({ limits, requests, claims }: Readonly<ResourceRequirements> = {}): object {
  const sorted = (amounts: Readonly<Record<string, string>> = {}): object | undefined =>
    Object.keys(amounts).length === 0 ? undefined : Object.fromEntries(Object.entries(amounts).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  return { limits: sorted(limits), requests: sorted(requests), claims }
}
