/**
 * How the server's seats are shared out: what levels do not use is lent to those that could (upstream's borrowing,
 * k8s.io/apiserver/pkg/util/flowcontrol/conc_alloc.go and updateBorrowingLocked). Pure: figures in, limits out.
 */

/** Each gets fraction x target, within its bounds. */
export interface Claim {
  readonly target: number
  readonly low: number
  readonly high: number
}

const targetMin = 0.001
/** Halvings of the fraction's range: beyond what a double tells apart. */
const halvings = 200

/** The fraction with which all shares come to `sum`, and the shares; undefined where the bounds do not allow it. */
export function shareOut(sum: number, claims: readonly Claim[]): { readonly fraction: number; readonly shares: readonly number[] } | undefined {
  const total = (fraction: number): number => claims.reduce((all, claim) => all + share(claim, fraction), 0)
  const lowest = claims.reduce((all, { low }) => all + low, 0)
  const highest = claims.reduce((all, { high }) => all + high, 0)
  const slack = 1e-7
  if (claims.some(({ low, high, target }) => low < 0 || high < low || target < low) || lowest - sum > slack || sum - highest > slack) return undefined
  // The sum never falls as the fraction rises, so the fraction is between any two that lie around it.
  let below = 0
  let above = Math.max(1, ...claims.map(({ target, high }) => high / Math.max(target, targetMin)))
  for (let i = 0; i < halvings && above - below > Number.EPSILON * above; i++) {
    const middle = (below + above) / 2
    if (total(middle) < sum) below = middle
    else above = middle
  }
  return { fraction: above, shares: claims.map((claim) => share(claim, above)) }
}

function share({ target, low, high }: Claim, fraction: number): number {
  return Math.max(low, Math.min(high, fraction * Math.max(target, targetMin)))
}

/** What is known of a level when seats are shared out. */
export interface Standing {
  readonly exempt: boolean
  readonly nominal: number
  readonly min: number
  readonly max: number
  /** Seats it could have used at most since the last time. */
  readonly highWatermark: number
  readonly smoothed: number
}

export interface Limits {
  /** In the order of the levels. */
  readonly limits: readonly number[]
  readonly targets: readonly number[]
  readonly fraction: number
}

/** `current` are the limits so far, kept where the bounds contradict each other. */
export function limitsOf(levels: readonly Standing[], current: readonly number[]): Limits {
  const sum = levels.reduce((all, { nominal }) => all + nominal, 0)
  // Nobody gets less than it has just used, as far as that is its own; what exempt requests use is gone for all others.
  const floor = ({ exempt, min, nominal, highWatermark }: Standing): number => Math.max(min, exempt ? highWatermark : Math.min(nominal, highWatermark))
  const limited = levels.filter(({ exempt }) => !exempt)
  const left = sum - levels.filter(({ exempt }) => exempt).reduce((all, level) => all + floor(level), 0)
  const minSum = limited.reduce((all, { min }) => all + min, 0)
  const floorSum = limited.reduce((all, level) => all + floor(level), 0)
  const targets = levels.map((level) => Math.max(floor(level), level.smoothed))
  const each = (limit: (level: Standing, i: number) => number): readonly number[] => levels.map((level, i) => (level.exempt ? floor(level) : Math.round(limit(level, i))))
  if (left <= minSum) return { limits: each(({ min }) => min), targets, fraction: 0 }
  if (left <= floorSum) {
    const part = (left - minSum) / (floorSum - minSum)
    return { limits: each((level) => level.min + (floor(level) - level.min) * part), targets, fraction: 0 }
  }
  const shared = shareOut(sum, levels.map((level, i) => ({ target: targets[i] ?? 0, low: floor(level), high: level.max })).filter((_, i) => levels[i]?.exempt === false))
  if (shared === undefined) return { limits: each((_, i) => current[i] ?? 0), targets, fraction: 0 }
  const shares = shared.shares.values()
  return { limits: each(() => shares.next().value ?? 0), targets, fraction: shared.fraction }
}
