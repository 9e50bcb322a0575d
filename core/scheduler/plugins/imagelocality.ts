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
    const images = imagesIn(world)
    const wanted = imagesOf(pod).map(normalized).filter((name) => images.has(name))
    const nodes = world.nodes().length
    const max = sizeMaxPerContainer * ((pod.spec?.containers.length ?? 0) + (pod.spec?.initContainers?.length ?? 0))
    if (wanted.length === 0) return undefined
    return {
      score({ node }) {
        const here = namesOn(node)
        let sum = 0
        for (const name of wanted) {
          const image = here.has(name) ? images.get(name) : undefined
          if (image !== undefined) sum += Math.trunc(image.bytes * (image.nodes / nodes))
        }
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

const names = new WeakMap<object, ReadonlySet<string>>()

function namesOn(node: Readonly<Node>): ReadonlySet<string> {
  let known = names.get(node)
  if (known === undefined) names.set(node, (known = new Set((node.status?.images ?? []).flatMap((image) => image.names ?? []))))
  return known
}

interface ImageInfo {
  /** As the first node says that has it. */
  readonly bytes: number
  nodes: number
}

const known = new WeakMap<World, { readonly epoch: number; readonly images: ReadonlyMap<string, ImageInfo> }>()

function imagesIn(world: World): ReadonlyMap<string, ImageInfo> {
  const before = known.get(world)
  if (before?.epoch === world.epoch) return before.images
  const images = new Map<string, ImageInfo>()
  for (const { node } of world.nodes()) {
    for (const { names: called, sizeBytes } of node.status?.images ?? []) {
      for (const name of called ?? []) {
        const image = images.get(name)
        if (image === undefined) images.set(name, { bytes: sizeBytes ?? 0, nodes: 1 })
        else image.nodes++
      }
    }
  }
  known.set(world, { epoch: world.epoch, images })
  return images
}
