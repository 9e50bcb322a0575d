/** Servers of metrics for tests: what they answer under a path, for group-versions that an APIService would lead to. No sockets. */
import type { ApiServerDeps } from '../../core/apiserver/deps.ts'

export interface FakeMetricServers {
  readonly aggregator: NonNullable<ApiServerDeps['aggregator']>
  /** Paths with queries, as they were asked for. */
  readonly asked: string[]
  /** `group/version` -> whether its server answers; a group-version that is not there is nobody's. */
  readonly served: Map<string, boolean>
  /** The value under a path without its query; a number is a refusal of that code. */
  answers: Record<string, unknown>
}

export function fakeMetricServers(): FakeMetricServers {
  const asked: string[] = []
  const served = new Map<string, boolean>()
  const fake: FakeMetricServers = {
    asked,
    served,
    answers: {},
    aggregator: {
      registrations: { remote: (group: string, version: string) => (served.has(`${group}/${version}`) ? { remote: {}, available: served.get(`${group}/${version}`) } : undefined) },
      aggregated: {
        ask(_ctx: unknown, _api: unknown, path: string) {
          asked.push(path)
          const value = fake.answers[path.split('?', 1)[0] ?? '']
          const status = typeof value === 'number' ? value : value === undefined ? 404 : 200
          const body = status === 200 ? value : { kind: 'Status', code: status, reason: 'NotFound', message: `nothing under ${path}` }
          return Promise.resolve({ status, headers: {}, body: new TextEncoder().encode(JSON.stringify(body)) })
        },
      },
    } as unknown as NonNullable<ApiServerDeps['aggregator']>,
  }
  return fake
}
