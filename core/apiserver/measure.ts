/** The API server's own measures of requests and of the process, under upstream's names. */
import type { Metrics } from '../lib/metrics.ts'
import type { ApiServerDeps } from './deps.ts'
import type { RequestInfo } from './request.ts'

export interface RequestMetrics {
  observe(info: RequestInfo, code: number, ms: number): void
}

/** Upstream's buckets, thinned (k8s.io/apiserver/pkg/endpoints/metrics). */
const secondsBuckets = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.5, 2, 3, 5, 10, 20, 30, 60]

const known = new Set(['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'])

type Served = Pick<ApiServerDeps, 'registry' | 'aggregator'>
type Names = Pick<RequestInfo, 'group' | 'version' | 'resource' | 'subresource'>

const nothing: Names = { group: '', version: '', resource: '', subresource: '' }

/** Only what is served: names that senders make up, whether they may or not, would make series without end. */
function labelsOf(info: RequestInfo, code: number, { registry, aggregator }: Served): Names {
  const { group, version, resource, subresource } = info
  if (!info.isResource) return nothing
  const kind = registry.kind(group, version, resource)
  if (kind !== undefined) return { group, version, resource, subresource: subresource === 'status' || subresource === 'scale' || kind.subresources.includes(subresource) ? subresource : '' }
  if (aggregator?.registrations.remote(group, version) === undefined) return nothing
  // What is there, the other server knows.
  return code < 400 ? { group, version, resource, subresource } : { ...nothing, group, version }
}

export function requestMetrics(metrics: Metrics, served: Served): RequestMetrics {
  const total = metrics.counter({
    name: 'apiserver_request_total',
    help: 'Requests by verb, resource, scope and code.',
    labels: ['code', 'group', 'resource', 'scope', 'subresource', 'verb', 'version'],
  })
  const seconds = metrics.histogram({
    name: 'apiserver_request_duration_seconds',
    help: 'Time to answer, in seconds.',
    labels: ['group', 'resource', 'subresource', 'verb', 'version'],
    buckets: secondsBuckets,
  })
  return {
    observe(info, code, ms) {
      const verb = known.has(info.verb) ? info.verb.toUpperCase() : info.isResource ? 'CONNECT' : 'GET'
      const { group, version, resource, subresource } = labelsOf(info, code, served)
      const scope = !info.isResource ? '' : info.name !== '' ? 'resource' : info.namespace === '' ? 'cluster' : 'namespace'
      total.inc([String(code), group, resource, scope, subresource, verb, version])
      if (verb !== 'WATCH' && verb !== 'CONNECT') seconds.observe(ms / 1_000, [group, resource, subresource, verb, version])
    },
  }
}

/** What Prometheus' client libraries tell of every process. */
export function processMetrics(metrics: Metrics, startedS: number): void {
  metrics.read({ name: 'process_cpu_seconds_total', help: 'Total user and system CPU time spent in seconds.', type: 'counter' }, () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  })
  metrics.read({ name: 'process_resident_memory_bytes', help: 'Resident memory size in bytes.' }, () => process.memoryUsage.rss())
  metrics.read({ name: 'process_start_time_seconds', help: 'Start time of the process since unix epoch in seconds.' }, () => startedS)
}
