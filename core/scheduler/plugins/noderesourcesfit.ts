/** NodeResourcesFit: what the pods of a node ask for must fit into what it has; nodes are scored by how full they would be. */
import { isExtendedResource } from '../../api/core/podspec/resources.ts'
import { deviceClasses } from '../../api/resource/deviceclass.ts'
import type { DeviceClass, Node, Pod } from '../../api/schema/types.ts'
import type { Lister } from '../../client/lister.ts'
import { claimOf, type Claim } from '../claim.ts'
import { classOf, classPrefix } from '../dynamicresources/extended.ts'
import type { ClusterEvent, Filter, Plugin, Refusal } from '../framework.ts'
import { NodeInfo } from '../world.ts'
import { type ScoringStrategy, strategyScorer } from './resourcescore.ts'

export interface FitArgs {
  /** Extended resources that are not looked at, and groups (the part before the slash) of such. */
  readonly ignoredResources: readonly string[]
  readonly ignoredResourceGroups: readonly string[]
  readonly scoringStrategy: ScoringStrategy
}

export function nodeResourcesFit(args: FitArgs, classes: Lister<DeviceClass>): Plugin {
  const scorer = strategyScorer(args.scoringStrategy)
  const checkOf = (pod: Readonly<Pod>): Filter['check'] => {
    const claim = claimOf(pod)
    const others = Object.entries(claim.others).filter(([name, amount]) => amount > 0 && !isIgnored(name, args))
    const devices = new Set(others.flatMap(([name]) => (classOf(name, classes.list()) === undefined ? [] : [name])))
    return (node) => refusalOf(claim, others.filter(([name]) => !devices.has(name) || (node.others[name] ?? 0) > 0), node)
  }
  const fitsAlone = (pod: Readonly<Pod>, node: Readonly<Node>): boolean => checkOf(pod)(emptied(node)) === undefined
  return {
    name: 'NodeResourcesFit',
    local: true,
    filter: (pod) => ({ check: checkOf(pod) }),
    score: (pod) => scorer(pod),
    wakes(pod, event) {
      switch (event.type) {
        case 'pod gone':
          return true // it frees at least its place
        case 'pod changed':
        case 'placed pod changed':
          return asksLess(pod, event.pod, event.prev)
        case 'node added':
          return fitsAlone(pod, event.node)
        case 'node changed':
          return fitsAlone(pod, event.node) && hasMore(pod, event.node, event.prev)
        case 'object':
          return becameDevices(pod, event)
        default:
          return false
      }
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

const empty = new WeakMap<object, NodeInfo>()

/** The node with nothing on it, made once for all pods that are asked. */
function emptied(node: Readonly<Node>): NodeInfo {
  const known = empty.get(node) ?? new NodeInfo(node)
  empty.set(node, known)
  return known
}

/** Whether a node has more than it had of something that the pod needs. */
function hasMore(pod: Readonly<Pod>, next: Readonly<Node>, prev: Readonly<Node>): boolean {
  const [mine, is, was] = [claimOf(pod), emptied(next), emptied(prev)]
  if (is.podsMax > was.podsMax || (mine.cpuMilli > 0 && is.cpuMilli > was.cpuMilli) || (mine.memoryBytes > 0 && is.memoryBytes > was.memoryBytes)) return true
  // A device that the node stops to have as a resource of its own, too, may be had another way.
  return Object.keys(mine.others).some((name) => (is.others[name] ?? 0) > (was.others[name] ?? 0) || (is.others[name] === undefined && was.others[name] !== undefined))
}

/** Whether a pod on a node was made smaller in what the waiting pod asks for. */
function asksLess(pod: Readonly<Pod>, next: Readonly<Pod>, prev: Readonly<Pod>): boolean {
  const [mine, is, was] = [claimOf(pod), claimOf(next), claimOf(prev)]
  if (mine.cpuMilli > 0 && is.cpuMilli < was.cpuMilli) return true
  if (mine.memoryBytes > 0 && is.memoryBytes < was.memoryBytes) return true
  return Object.keys(mine.others).some((name) => (is.others[name] ?? 0) < (was.others[name] ?? 0))
}
