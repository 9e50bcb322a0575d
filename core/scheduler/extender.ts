/**
 * What an extender is: a scheduler beside this one that has a say in decisions, asked over HTTP (k8s.io/kube-scheduler/
 * extender/v1). Here is only what the scheduler asks of it; how it is reached and configured is another's business.
 */
import type { Pod } from '../api/schema/types.ts'
import type { Ctx } from '../lib/ctx.ts'
import type { Refusal } from './framework.ts'
import type { Candidate } from './preemption.ts'
import type { NodeInfo } from './world.ts'

export interface Extender {
  readonly name: string
  /** Failing to ask it does not fail the pod. */
  readonly ignorable: boolean
  isInterested(pod: Readonly<Pod>): boolean
  /** Those that can take the pod, and why the others cannot. Throws when it cannot be asked or refuses to answer. */
  filter?(ctx: Ctx, pod: Readonly<Pod>, nodes: readonly NodeInfo[]): Promise<{ readonly nodes: readonly NodeInfo[]; readonly refusals: ReadonlyMap<NodeInfo, Refusal> }>
  /** What it adds to the sum of scores, by node name. */
  prioritize?(ctx: Ctx, pod: Readonly<Pod>, nodes: readonly NodeInfo[]): Promise<ReadonlyMap<string, number>>
  /** Candidates that it accepts, with victims that it may have changed. */
  preempt?(ctx: Ctx, pod: Readonly<Pod>, candidates: readonly Candidate[]): Promise<readonly Candidate[]>
  bind?(ctx: Ctx, pod: Readonly<Pod>, nodeName: string): Promise<void>
}
