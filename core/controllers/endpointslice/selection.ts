/**
 * Which pods a Service selects, and which Services a change of a pod concerns: what EndpointSlices and Endpoints have in
 * common. What an endpoint is made of is endpoint.ts.
 */
import { pods } from '../../api/core/pod.ts'
import { podCondition } from '../../api/core/podstate.ts'
import { services } from '../../api/core/service.ts'
import type { Pod, Service } from '../../api/schema/types.ts'
import { labelsSelector, type Selector } from '../../api/selector.ts'
import type { Informer } from '../../client/informer.ts'
import type { Informers } from '../../client/informers.ts'
import { equalJson } from '../../lib/json.ts'
import { memoOf } from '../../lib/memo.ts'
import { itself } from '../run.ts'

/** A Service stands under one of the labels that it asks for: only its pods, and few others, carry that one. */
const labelIndex = 'selection'

export const hasSelector = (service: Readonly<Service>): boolean => service.spec?.type !== 'ExternalName' && Object.keys(service.spec?.selector ?? {}).length > 0

export class Selection {
  readonly #services: Informer<Service>
  readonly #pods: Informer<Pod>

  constructor(informers: Informers) {
    this.#services = informers.of(services)
    this.#services.addIndex(labelIndex, (service) => (hasSelector(service) ? labelKeys(service, service.spec?.selector).slice(0, 1) : []))
    this.#pods = informers.of(pods)
  }

  podsOf(service: Readonly<Service>): readonly Readonly<Pod>[] {
    const selector = selectorFor(service)
    return this.#pods.lister.list(service.metadata.namespace ?? '').filter((pod) => selector.matches(pod.metadata.labels))
  }

  /** Keys of the Services that have a pod like this. */
  servicesOf(pod: Readonly<Pod>): readonly string[] {
    const near = labelKeys(pod, pod.metadata.labels).flatMap((key) => this.#services.lister.by(labelIndex, key))
    return near.filter((service) => selectorFor(service).matches(pod.metadata.labels)).flatMap(itself)
  }

  /** Tells of Services whose endpoints a pod's change may change: heartbeats of a pod's status change none. */
  onChanges(tell: (keys: readonly string[]) => void): void {
    const look = (pod: Readonly<Pod>): void => tell(this.servicesOf(pod))
    this.#pods.on({
      added: look,
      deleted: look,
      updated: (next, prev) => {
        if (showsTheSame(next, prev)) return
        tell([...new Set([...this.servicesOf(next), ...this.servicesOf(prev)])])
      },
    })
  }
}

function labelKeys({ metadata: { namespace = '' } }: Readonly<Pod | Service>, labels: Readonly<Record<string, string>> = {}): readonly string[] {
  return Object.entries(labels).map(([name, value]) => `${namespace}/${name}=${value}`)
}

const selectorFor = memoOf((service: Readonly<Service>): Selector => labelsSelector(service.spec?.selector))

/** Whether an endpoint shows the same of both versions of a pod. */
function showsTheSame(a: Readonly<Pod>, b: Readonly<Pod>): boolean {
  return (
    a.metadata.uid === b.metadata.uid && a.metadata.deletionTimestamp === b.metadata.deletionTimestamp &&
    a.spec?.nodeName === b.spec?.nodeName && a.spec?.hostname === b.spec?.hostname && a.spec?.subdomain === b.spec?.subdomain &&
    a.status?.phase === b.status?.phase && a.status?.podIP === b.status?.podIP && podCondition(a, 'Ready')?.status === podCondition(b, 'Ready')?.status &&
    equalJson(a.status?.podIPs, b.status?.podIPs) && equalJson(a.metadata.labels, b.metadata.labels)
  )
}
