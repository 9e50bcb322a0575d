/**
 * When the change that a slice shows was made: the earliest of the moments at which pods became (un)ready since the last
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

  /** RFC 3339, or undefined when nothing newer is known. */
  since(key: string, service: Readonly<Service>, pods: readonly Readonly<Pod>[]): string | undefined {
    const before = this.#seen.get(key)
    const now: Seen = {
      service: service.metadata.creationTimestamp ?? '',
      pods: new Map(pods.map((pod) => [pod.metadata.uid ?? '', podCondition(pod, 'Ready')?.lastTransitionTime ?? ''])),
    }
    this.#seen.set(key, now)
    const times = [...now.pods].filter(([uid, time]) => time !== '' && time > (before?.pods.get(uid) ?? '')).map(([, time]) => time)
    if (before === undefined || now.service > before.service) times.push(now.service)
    return times.filter((t) => t !== '').sort()[0]
  }

  forget(key: string): void {
    this.#seen.delete(key)
  }
}
