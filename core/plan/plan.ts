/** What a plan says: what becomes of each object in the files, and what follows from it in the cluster. Plain values: `-o json` prints them as they are. */

export interface Thing {
  /** As in objects: Deployment. */
  readonly kind: string
  /** '' for what has none. */
  readonly namespace: string
  readonly name: string
}

export interface FieldChange {
  /** `spec.template.spec.containers[web].image` */
  readonly path: string
  /** Absent: there was none, or there will be none. */
  readonly before?: unknown
  readonly after?: unknown
}

export interface FileOutcome extends Thing {
  /** File and, where it holds several, the number of the document. */
  readonly source: string
  readonly verb: 'create' | 'change' | 'delete' | 'none' | 'refuse'
  readonly changes: readonly FieldChange[]
  /** Why it is refused. */
  readonly message?: string
  readonly notes: readonly string[]
}

/** What controllers make of it, besides pods. */
export interface Consequence extends Thing {
  readonly verb: 'create' | 'change' | 'delete'
  readonly changes: readonly FieldChange[]
}

/** Pods of one owner; a pod without one is its own. */
export interface PodGroup {
  readonly owner: Thing
  readonly count: number
  /** Node -> how many of them. */
  readonly nodes: Readonly<Record<string, number>>
}

export interface GonePods extends PodGroup {
  /** `preempted`, `evicted`, `replaced`, `no longer wanted` */
  readonly because: string
}

export interface Rollout {
  readonly owner: Thing
  /** Ready pods before, and the least number of them on the way. */
  readonly ready: number
  readonly lowest: number
  readonly steps: readonly { readonly created: number; readonly deleted: number }[]
  /** Undefined: it comes to its end. */
  readonly heldUpBy?: string
}

export interface Stuck {
  readonly about: Thing
  /** How many pods; 0 where it is not about pods. */
  readonly pods: number
  /** In the words of the scheduler or of admission. */
  readonly because: string
  /** What is behind it, as `kubun why` would say of one of the pods. */
  readonly cause?: string
  readonly help?: readonly string[]
}

export interface ClaimFate extends Thing {
  readonly phase: string
  readonly because?: string
}

export interface QuotaUse extends Thing {
  readonly resource: string
  readonly before: string
  readonly after: string
  readonly hard: string
}

export interface BudgetBreach extends Thing {
  readonly healthy: number
  readonly desired: number
}

export interface Effects {
  readonly objects: readonly Consequence[]
  readonly placed: readonly PodGroup[]
  readonly gone: readonly GonePods[]
  readonly rollouts: readonly Rollout[]
  readonly stuck: readonly Stuck[]
  readonly claims: readonly ClaimFate[]
  /** Services that have nobody ready behind them then. */
  readonly deserted: readonly Thing[]
  readonly quotas: readonly QuotaUse[]
  /** Disruption budgets that fall below what they want on the way. */
  readonly breached: readonly BudgetBreach[]
}

export interface WebhookCalls {
  readonly webhook: string
  /** `create deployments shop/web` */
  readonly requests: readonly string[]
}

export interface Plan {
  readonly verdict: 'nothing' | 'changes' | 'trouble'
  /** The cluster as it was read. */
  readonly revision: string
  readonly objects: number
  readonly files: readonly FileOutcome[]
  readonly effects: Effects
  /** What would happen without the files, too. */
  readonly anyway: Effects
  readonly webhooks: readonly WebhookCalls[]
  /** What could not be read, and what that means; what was cut short. */
  readonly unknown: readonly string[]
}

export function thingText({ kind, namespace, name }: Thing): string {
  return `${kind.toLowerCase()} ${namespace === '' ? name : `${namespace}/${name}`}`
}

export function byThing(a: Thing, b: Thing): number {
  const [x, y] = [sortText(a), sortText(b)]
  return x < y ? -1 : x > y ? 1 : 0
}

const sortText = ({ kind, namespace, name }: Thing): string => [namespace, kind, name].join('\0')
