/** NodeResourcesFit: what the pods of a node ask for must fit into what it has; nodes are scored by how full they would be. */
import { isExtendedResource } from '../../api/core/podspec/resources.ts'
import { deviceClasses } from '../../api/resource/deviceclass.ts'
import type { DeviceClass, Pod } from '../../api/schema/types.ts'
import type { Lister } from '../../client/lister.ts'
import { claimOf, type Claim } from '../claim.ts'
import { classOf, classPrefix } from '../dynamicresources/extended.ts'
import type { ClusterEvent, Plugin, Refusal } from '../framework.ts'
import type { NodeInfo } from '../world.ts'
import { type ScoringStrategy, strategyScorer } from './resourcescore.ts'

export interface FitArgs {
  /** Extended resources that are not looked at, and groups (the part before the slash) of such. */
  readonly ignoredResources: readonly string[]
  readonly ignoredResourceGroups: readonly string[]
  readonly scoringStrategy: ScoringStrategy
}

export function nodeResourcesFit(args: FitArgs, classes: Lister<DeviceClass>): Plugin {
  const scorer = strategyScorer(args.scoringStrategy)
  return {
    name: 'NodeResourcesFit',
    local: true,
    filter(pod) {
      const claim = claimOf(pod)
      const others = Object.entries(claim.others).filter(([name, amount]) => amount > 0 && !isIgnored(name, args))
      const devices = new Set(others.flatMap(([name]) => (classOf(name, classes.list()) === undefined ? [] : [name])))
      return { check: (node) => refusalOf(claim, others.filter(([name]) => !devices.has(name) || (node.others[name] ?? 0) > 0), node) }
    },
    score: (pod) => scorer(pod),
    wakes(pod, event) {
      if (event.type === 'pod changed' || event.type === 'pod gone') return true // a pod that goes frees at least its place
      if (event.type === 'placed pod changed') return asksLess(pod, event.pod, event.prev)
      if (event.type === 'node added') return true
      if (event.type === 'object') return becameDevices(pod, event)
      return event.type === 'node changed' && JSON.stringify(event.node.status?.allocatable) !== JSON.stringify(event.prev.status?.allocatable)
    },
  }
}

/** A class came or has another resource that the pod asks for: nodes may have it as devices. */
function becameDevices(pod: Readonly<Pod>, { kind, object, prev }: Extract<ClusterEvent, { readonly type: 'object' }>): boolean {
  if (object === undefined || kind.plural !== deviceClasses.plural || kind.group !== deviceClasses.group) return false
  const [next, was] = [object as Readonly<DeviceClass>, prev as Readonly<DeviceClass> | undefined]
  const { others } = claimOf(pod)
  const { extendedResourceName: name = '' } = next.spec
  if (was === undefined && `${classPrefix}${next.metadata.name}` in others) return true
  return name !== (was?.spec.extendedResourceName ?? '') && name in others
}

function isIgnored(name: string, { ignoredResources, ignoredResourceGroups }: FitArgs): boolean {
  return isExtendedResource(name) && (ignoredResources.includes(name) || ignoredResourceGroups.includes(name.split('/')[0] ?? ''))
}

/** All that is lacking is named; what the whole node does not have, evictions cannot free. */
function refusalOf(claim: Claim, others: readonly (readonly [string, number])[], node: NodeInfo): Refusal | undefined {
  const { cpuMilli, memoryBytes } = claim
  const full = node.pods.size + 1 > node.podsMax
  const noCpu = cpuMilli > 0 && node.usedCpuMilli + cpuMilli > node.cpuMilli
  const noMemory = memoryBytes > 0 && node.usedMemoryBytes + memoryBytes > node.memoryBytes
  const lacking = others.filter(([name, amount]) => (node.usedOthers[name] ?? 0) + amount > (node.others[name] ?? 0))
  if (!full && !noCpu && !noMemory && lacking.length === 0) return undefined
  return {
    reasons: [
      ...(full ? ['Too many pods'] : []),
      ...(noCpu ? ['Insufficient cpu'] : []),
      ...(noMemory ? ['Insufficient memory'] : []),
      ...lacking.map(([name]) => `Insufficient ${name}`),
    ],
    unresolvable: (noCpu && cpuMilli > node.cpuMilli) || (noMemory && memoryBytes > node.memoryBytes) || lacking.some(([name, amount]) => amount > (node.others[name] ?? 0)),
  }
}

/** Whether a pod on a node was made smaller in what the waiting pod asks for. */
function asksLess(pod: Readonly<Pod>, next: Readonly<Pod>, prev: Readonly<Pod>): boolean {
  const [mine, is, was] = [claimOf(pod), claimOf(next), claimOf(prev)]
  if (mine.cpuMilli > 0 && is.cpuMilli < was.cpuMilli) return true
  if (mine.memoryBytes > 0 && is.memoryBytes < was.memoryBytes) return true
  return Object.keys(mine.others).some((name) => (is.others[name] ?? 0) < (was.others[name] ?? 0))
}
