/**
 * When the change that endpoints show was made: the earliest of the moments at which pods became (un)ready since the last
 * look. Proxies measure with it how long programming takes (upstream's trigger_time_tracker.go). What it leaves out when
 * unsure is only a measurement.
 */
import { podCondition } from '../../api/core/podstate.ts'
import type { Pod, Service } from '../../api/schema/types.ts'

interface Seen {
  readonly service: string
  readonly pods: ReadonlyMap<string, string>
}

export class TriggerTimes {
  readonly #seen = new Map<string, Seen>()

  /** RFC 3339, or undefined when nothing newer is known. Of a Service that is seen for the first time, its making. */
  since(key: string, service: Readonly<Service>, pods: readonly Readonly<Pod>[]): string | undefined {
    const before = this.#seen.get(key)
    const now: Seen = {
      service: service.metadata.creationTimestamp ?? '',
      pods: new Map(pods.map((pod) => [pod.metadata.name ?? '', podCondition(pod, 'Ready')?.lastTransitionTime ?? ''])),
    }
    this.#seen.set(key, now)
    if (before === undefined) return now.service === '' ? undefined : now.service
    const times = [...now.pods].filter(([name, time]) => time > (before.pods.get(name) ?? '')).map(([, time]) => time)
    if (now.service > before.service) times.push(now.service)
    return times.sort()[0]
  }

  forget(key: string): void {
    this.#seen.delete(key)
  }
}
