/** Which probe of a container fails, and with what words. Pure, over what the kubelet told. */
import type { Container, Event, Probe } from '../api/schema/types.ts'
import { oneLine } from './crash.ts'

export type ProbeKind = 'Readiness' | 'Liveness' | 'Startup'

export interface FailingProbe {
  readonly kind: ProbeKind
  readonly message: string
}

/** The latest told of this container, the events the latest first. */
export function failingProbe(events: readonly Readonly<Event>[], container: string, kinds: readonly ProbeKind[]): FailingProbe | undefined {
  for (const { reason, message = '', involvedObject } of events) {
    if (reason !== 'Unhealthy' || (involvedObject.fieldPath !== undefined && !involvedObject.fieldPath.includes(`{${container}}`))) continue
    const [, kind = '', said = ''] = /^(\w+) probe (?:failed|errored[^:]*|warning): ?(.*)$/s.exec(message) ?? []
    if (kinds.includes(kind as ProbeKind)) return { kind: kind as ProbeKind, message: oneLine(said) }
  }
  return undefined
}

export function probeOf(container: Readonly<Container> | undefined, kind: ProbeKind): Readonly<Probe> | undefined {
  return kind === 'Readiness' ? container?.readinessProbe : kind === 'Liveness' ? container?.livenessProbe : container?.startupProbe
}

/** `GET :8080/ready every 10s`. */
export function probeText(probe: Readonly<Probe>): string {
  const { httpGet, tcpSocket, exec, grpc, periodSeconds = 10, failureThreshold = 3 } = probe
  const what =
    httpGet !== undefined ? `${httpGet.scheme === 'HTTPS' ? 'HTTPS ' : ''}GET :${httpGet.port}${httpGet.path ?? '/'}`
    : tcpSocket !== undefined ? `connect to :${tcpSocket.port}`
    : grpc !== undefined ? `gRPC :${grpc.port}`
    : `run ${exec?.command?.join(' ') ?? ''}`
  return `${what} every ${periodSeconds}s, ${failureThreshold} failures count`
}
