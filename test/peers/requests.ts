/** Plays every case of requests to upstream's API server and to ours, and shows where the answers differ beyond the accepted list. */
import { join } from 'node:path'
import { groups } from './cases/cases.ts'
import { unexpected } from './differences.ts'
import { writeGolden } from './golden.ts'
import { startOurs, type RunningPeer } from './peer.ts'
import { play } from './play.ts'
import { shown } from './show.ts'
import { startUpstream, upstreamPrograms } from './upstream.ts'

export interface RequestOptions {
  readonly only: RegExp
  /** Upstream's answers become golden data. */
  readonly update: boolean
  /** All of long differences. */
  readonly full: boolean
}

export async function compareRequests(dir: string, options: RequestOptions): Promise<boolean> {
  return await withPeers(dir, (upstream, ours) => compare(upstream, ours, options))
}

/** Both servers under `dir`, for as long as that takes. */
export async function withPeers(dir: string, run: (upstream: RunningPeer, ours: RunningPeer) => Promise<boolean>): Promise<boolean> {
  const programs = upstreamPrograms()
  if (typeof programs === 'string') {
    console.log(`skipped: ${programs}`)
    return true
  }
  const peers: RunningPeer[] = []
  try {
    const upstream = await startUpstream(join(dir, 'upstream'), programs)
    peers.push(upstream)
    const ours = await startOurs(join(dir, 'ours'))
    peers.push(ours)
    return await run(upstream, ours)
  } finally {
    for (const peer of peers.toReversed()) await peer.stop()
  }
}

async function compare(upstream: RunningPeer, ours: RunningPeer, { only, update, full }: RequestOptions): Promise<boolean> {
  const count = { same: 0, different: 0 }
  for (const group of groups.filter(({ name }) => only.test(name))) {
    const want = await play(upstream, group)
    if (update && group.golden) writeGolden(group, want)
    const have = await play(ours, group)
    for (const name of new Set([...want.keys(), ...have.keys()])) {
      const found = unexpected(group.name, name, want.get(name), have.get(name))
      if (found.length === 0) count.same++
      else count.different++
      if (found.length > 0) console.log(`\n${group.name}: ${name}`)
      if (found.length > 0) console.log(shown(found, full))
    }
  }
  console.log(`\n${count.same} the same, ${count.different} different`)
  return count.different === 0
}
