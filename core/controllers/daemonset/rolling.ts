/**
 * A rolling update of a DaemonSet: which old pods go now, and which nodes get a second pod before theirs goes. What is not
 * available goes at once, as it serves nobody. Pure (upstream's daemon/update.go).
 */
import { isBeingDeleted } from '../../api/meta.ts'
import type { Pod } from '../../api/schema/types.ts'
import { isUpdated } from './placement.ts'
import { isAvailable, type Pods, rollingNumber, type World } from './plan.ts'

export interface Rolling {
  readonly create: readonly string[]
  readonly remove: Pods
}

export function planRolling(world: World): Rolling {
  const wanted = world.nodes.filter((node) => world.place(node).run).map((node) => node.metadata.name ?? '')
  const surge = rollingNumber(world.set, 'maxSurge', wanted.length)
  const unavailable = rollingNumber(world.set, 'maxUnavailable', wanted.length)
  const sites = sitesOf(world, wanted)
  if (surge > 0) return surging(world, sites, { surge, wanted: new Set(wanted) })
  return replacing(world, sites, wanted.length > 0 && unavailable === 0 ? 1 : unavailable)
}

interface Site {
  readonly node: string
  /** More than one of a kind: the number of pods is put right first. */
  readonly crowded: boolean
  readonly updated: Readonly<Pod> | undefined
  readonly old: Readonly<Pod> | undefined
}

/** Every node that has pods, or should. */
function sitesOf({ set, hash, pods }: World, wanted: readonly string[]): readonly Site[] {
  return [...new Set([...pods.keys(), ...wanted])].map((node) => {
    const there = (pods.get(node) ?? []).filter((pod) => !isBeingDeleted(pod))
    const updated = there.filter((pod) => isUpdated(set, hash, pod))
    const old = there.filter((pod) => !isUpdated(set, hash, pod))
    return { node, crowded: updated.length > 1 || old.length > 1, updated: updated[0], old: old[0] }
  })
}

function replacing(world: World, sites: readonly Site[], limit: number): Rolling {
  const useless: Readonly<Pod>[] = []
  const candidates: Readonly<Pod>[] = []
  let unavailable = 0
  for (const { crowded, updated, old } of sites) {
    if (!crowded && old !== undefined && updated === undefined && isAvailable(world, old)) {
      candidates.push(old)
      continue
    }
    const serves = !crowded && updated !== undefined && old === undefined && isAvailable(world, updated)
    if (!serves) unavailable++
    if (!crowded && old !== undefined && updated === undefined) useless.push(old)
  }
  return { create: [], remove: [...useless, ...candidates.slice(0, Math.max(0, limit - unavailable))] }
}

function surging(world: World, sites: readonly Site[], { surge, wanted }: { readonly surge: number; readonly wanted: ReadonlySet<string> }): Rolling {
  const remove: Readonly<Pod>[] = []
  /** Serve where they no longer belong: they go when enough serve where they do. */
  const misplaced: Readonly<Pod>[] = []
  const useless: string[] = []
  const candidates: string[] = []
  let surged = 0
  let available = 0
  for (const { node, crowded, updated, old } of sites) {
    if (crowded) {
      surged++
      continue
    }
    const serving = old ?? updated
    const serves = serving !== undefined && isAvailable(world, serving)
    if (serves) available++
    if (old === undefined) continue
    if (updated !== undefined) {
      if (isAvailable(world, updated)) remove.push(old)
      else surged++
    } else if (!wanted.has(node)) (serves ? misplaced : remove).push(old)
    else (serves ? candidates : useless).push(node)
  }
  const spare = Math.max(0, available - wanted.size)
  return { create: [...useless, ...candidates.slice(0, Math.max(0, surge - surged))], remove: [...remove, ...misplaced.slice(0, spare)] }
}
