/** The API server's own measures of requests and of the process, under upstream's names. */
import type { Metrics } from '../lib/metrics.ts'
import type { RequestInfo } from './request.ts'

export interface RequestMetrics {
  observe(info: RequestInfo, code: number, ms: number): void
}

/** Upstream's buckets, thinned (k8s.io/apiserver/pkg/endpoints/metrics). */
const secondsBuckets = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.5, 2, 3, 5, 10, 20, 30, 60]

const known = new Set(['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'])

export function requestMetrics(metrics: Metrics): RequestMetrics {
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
      // Resources that do not exist would make series without end.
      const resource = code === 404 && info.name === '' ? '' : info.resource
      const scope = !info.isResource ? '' : info.name !== '' ? 'resource' : info.namespace === '' ? 'cluster' : 'namespace'
      total.inc([String(code), info.group, resource, scope, info.subresource, verb, info.version])
      if (verb !== 'WATCH' && verb !== 'CONNECT') seconds.observe(ms / 1_000, [info.group, resource, info.subresource, verb, info.version])
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
