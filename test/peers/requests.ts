/** Plays every case of requests to upstream's API server and to ours, and shows where the answers differ beyond the accepted list. */
import { join } from 'node:path'
import { groups } from './cases/cases.ts'
import { unexpected } from './differences.ts'
import { writeGolden } from './golden.ts'
import type { Difference } from './normal.ts'
import { startOurs, type RunningPeer } from './peer.ts'
import { play } from './play.ts'
import { startUpstream, upstreamPrograms } from './upstream.ts'

export interface RequestOptions {
  readonly only: RegExp
  /** Upstream's answers become golden data. */
  readonly update: boolean
  /** All of long differences. */
  readonly full: boolean
}

export async function compareRequests(dir: string, options: RequestOptions): Promise<boolean> {
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
    return await compare(upstream, ours, options)
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
      for (const each of full ? found : essential(found)) console.log(`  ${each.path}\n    upstream ${short(each.want)}\n    ours     ${short(each.have)}`)
    }
  }
  console.log(`\n${count.same} the same, ${count.different} different`)
  return count.different === 0
}

/** Where the codes differ, every field of the answers does; two of them tell enough. */
function essential(found: readonly Difference[]): readonly Difference[] {
  return found.some(({ path }) => path === 'code') ? found.filter(({ path }) => path === 'code' || path === 'body.message') : found
}

const shownMax = 600

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > shownMax ? `${text.slice(0, shownMax)}...` : text
}
