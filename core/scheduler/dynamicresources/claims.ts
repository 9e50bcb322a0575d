/**
 * ResourceClaims as the scheduler knows them: what its informer shows, what it wrote itself and is not shown yet, and what it has
 * decided and not written yet. All profiles share one (upstream's dra_manager.go).
 */
import type { Key } from '../../api/meta.ts'
import { claimNameOf, notForPod } from '../../api/resource/podclaims.ts'
import type { AllocationResult, Pod, ResourceClaim } from '../../api/schema/types.ts'
import type { Lister } from '../../client/lister.ts'
import type { Clock } from '../../lib/clock.ts'
import { devicesInUse, type DevicesInUse } from './devices.ts'

export type Claim = Readonly<ResourceClaim>

/** A claim that was created and is not shown after so long is gone. */
const unseenMs = 120_000

interface Assumed {
  readonly claim: Claim
  /** The informer had shown it when it was written: when it shows it no more, it is gone. */
  readonly seen: boolean
  readonly until: number
}

const versionOf = ({ metadata }: Claim): number => Number(metadata.resourceVersion ?? 0)
const keyOf = ({ metadata: { namespace = '', name = '' } }: Claim): string => `${namespace}/${name}`

export class Claims {
  readonly #lister: Lister<ResourceClaim>
  readonly #clock: Clock
  readonly #assumed = new Map<string, Assumed>()
  readonly #inFlight = new Map<string, AllocationResult>()

  constructor(lister: Lister<ResourceClaim>, clock: Clock) {
    this.#lister = lister
    this.#clock = clock
  }

  get({ namespace, name }: Key): Claim | undefined {
    const key = `${namespace}/${name}`
    const shown = this.#lister.at(key)
    const assumed = this.#assumed.get(key)
    if (assumed === undefined) return shown
    const gone = shown === undefined && (assumed.seen || assumed.until <= this.#clock.monotonic())
    const caughtUp = shown !== undefined && (versionOf(shown) >= versionOf(assumed.claim) || shown.metadata.uid !== assumed.claim.metadata.uid)
    if (!gone && !caughtUp) return assumed.claim
    this.#assumed.delete(key)
    return shown
  }

  list(): readonly Claim[] {
    const all = new Map(this.#lister.list().map((claim) => [keyOf(claim), claim]))
    for (const [key, { claim }] of this.#assumed) {
      const { namespace = '', name = '' } = claim.metadata
      const now = this.get({ namespace, name })
      if (now !== undefined) all.set(key, now)
    }
    return [...all.values()]
  }

  /** As the API answered. */
  assume(claim: Claim): void {
    const key = keyOf(claim)
    this.#assumed.set(key, { claim, seen: this.#lister.at(key) !== undefined, until: this.#clock.monotonic() + unseenMs })
  }

  forget(claim: Claim): void {
    this.#assumed.delete(keyOf(claim))
  }

  /** Decided, and about to be written. */
  isInFlight(uid: string): boolean {
    return this.#inFlight.has(uid)
  }

  takeOff(uid: string, allocation: AllocationResult): void {
    this.#inFlight.set(uid, allocation)
  }

  land(uid: string): void {
    this.#inFlight.delete(uid)
  }

  inUse(): DevicesInUse {
    return devicesInUse([...this.list().flatMap(({ status }) => status?.allocation ?? []), ...this.#inFlight.values()])
  }
}

/** The claims of a pod in its order; or, in upstream's words, why the pod cannot be scheduled with them. */
export function claimsOfPod(pod: Readonly<Pod>, claims: Claims): { readonly claims: readonly Claim[] } | { readonly problem: string } {
  const { namespace = '' } = pod.metadata
  const found: Claim[] = []
  for (const podClaim of pod.spec?.resourceClaims ?? []) {
    const known = claimNameOf(pod, podClaim)
    if ('problem' in known) return { problem: known.problem }
    if (known.name === undefined) continue
    const claim = claims.get({ namespace, name: known.name })
    if (claim === undefined) return { problem: `could not find ResourceClaim "${namespace}/${known.name}"` }
    if (claim.metadata.deletionTimestamp !== undefined) return { problem: `resourceclaim "${known.name}" is being deleted` }
    const foreign = known.made ? notForPod(pod, claim) : undefined
    if (foreign !== undefined) return { problem: foreign }
    found.push(claim)
  }
  return { claims: found }
}
