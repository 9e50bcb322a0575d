/**
 * Images nobody uses go when the disk is nearly full (pkg/kubelet/images/image_gc_manager.go):
 * above 85 % until below 80 %, largest first. Docker may be somebody else's too, so only
 * images that this kubelet pulled are touched.
 */
import { statfs } from 'node:fs/promises'
import type { Ctx } from '../../core/lib/ctx.ts'
import type { Runtime, RuntimeImage } from '../host/runtime.ts'

export interface GarbageOptions {
  readonly runtime: Runtime
  readonly imagesDir: string
  /** Ids of images that containers of this node use. */
  readonly inUse: () => ReadonlySet<string>
  readonly pulled: () => ReadonlySet<string>
}

const everyMs = 300_000
const highShare = 0.85
const lowShare = 0.8

export async function collectGarbage(ctx: Ctx, options: GarbageOptions): Promise<void> {
  while (!ctx.signal.aborted) {
    await ctx.clock.sleep(everyMs, ctx.signal)
    const disk = await statfs(options.imagesDir).catch(() => undefined) // a runtime elsewhere: not ours to clean
    if (disk === undefined) continue
    const total = disk.blocks * disk.bsize
    const used = total - disk.bavail * disk.bsize
    if (used < total * highShare) continue
    const images = await options.runtime.images(ctx).catch((): readonly RuntimeImage[] => []) // away for now: the next look is soon enough
    for (const image of chooseImages(images.filter((i) => options.pulled().has(i.id)), options.inUse(), used - total * lowShare)) {
      await options.runtime.removeImage(ctx, image.id).then(
        () => ctx.log.info('removed an unused image', { image: image.tags[0] ?? image.id }),
        (error: unknown) => ctx.log.debug('image not removed', { image: image.id, error }),
      )
    }
  }
}

/** The fewest images that free so many bytes. */
export function chooseImages(images: readonly RuntimeImage[], inUse: ReadonlySet<string>, bytes: number): readonly RuntimeImage[] {
  const chosen: RuntimeImage[] = []
  let left = bytes
  for (const image of images.toSorted((a, b) => b.sizeBytes - a.sizeBytes)) {
    if (left <= 0) break
    if (inUse.has(image.id)) continue
    chosen.push(image)
    left -= image.sizeBytes
  }
  return chosen
}
