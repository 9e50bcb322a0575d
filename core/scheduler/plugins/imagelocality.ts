/**
 * ImageLocality: nodes that have large images of the pod score higher, less so where few nodes have them, that not all
 * pods gather on one.
 */
import type { Node, Pod } from '../../api/schema/types.ts'
import { scoreMax, type Plugin } from '../framework.ts'
import type { World } from '../world.ts'

const mebibyte = 1024 * 1024
/** Below this sum of sizes images do not count; above the upper one, a container, they count no more. */
const sizeMin = 23 * mebibyte
const sizeMaxPerContainer = 1_000 * mebibyte

export const imageLocality: Plugin = {
  name: 'ImageLocality',
  local: true,
  score(pod, world) {
    const held = holdersOf(world)
    const names = imagesOf(pod).map(normalized).filter((name) => held.has(name))
    const nodes = world.nodes().length
    const containers = (pod.spec?.containers.length ?? 0) + (pod.spec?.initContainers?.length ?? 0)
    if (names.length === 0) return undefined
    return {
      score({ node }) {
        const sizes = sizesOn(node)
        let sum = 0
        for (const name of names) {
          const size = sizes.get(name)
          if (size !== undefined) sum += Math.trunc(size * ((held.get(name) ?? 0) / nodes))
        }
        const max = sizeMaxPerContainer * containers
        return Math.floor((scoreMax * (Math.min(Math.max(sum, sizeMin), max) - sizeMin)) / (max - sizeMin))
      },
    }
  },
}

function imagesOf({ spec }: Readonly<Pod>): readonly string[] {
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].map(({ image }) => image ?? '')
  return [...containers, ...(spec?.volumes ?? []).flatMap(({ image }) => (image === undefined ? [] : [image.reference ?? '']))]
}

/** `nginx` -> `nginx:latest`; a name with a tag or digest stays. */
function normalized(name: string): string {
  return name.lastIndexOf(':') <= name.lastIndexOf('/') ? `${name}:latest` : name
}

const sizes = new WeakMap<object, ReadonlyMap<string, number>>()

/** Name -> bytes of the image. */
function sizesOn(node: Readonly<Node>): ReadonlyMap<string, number> {
  let known = sizes.get(node)
  if (known === undefined) sizes.set(node, (known = new Map((node.status?.images ?? []).flatMap(({ names, sizeBytes }) => (names ?? []).map((name) => [name, sizeBytes ?? 0] as const)))))
  return known
}

const holders = new WeakMap<World, { readonly epoch: number; readonly counts: ReadonlyMap<string, number> }>()

/** Name -> nodes that have the image. */
function holdersOf(world: World): ReadonlyMap<string, number> {
  const known = holders.get(world)
  if (known?.epoch === world.epoch) return known.counts
  const counts = new Map<string, number>()
  for (const { node } of world.nodes()) for (const name of sizesOn(node).keys()) counts.set(name, (counts.get(name) ?? 0) + 1)
  holders.set(world, { epoch: world.epoch, counts })
  return counts
}
