/**
 * npm run test:peers -- [--update] [--only REGEXP] [--full] [--keep]: plays every case to upstream's kube-apiserver and to ours and
 * shows where the answers differ beyond the accepted list. --update writes upstream's answers as golden data, which
 * golden.test.ts holds against ours without Go. --full shows all of long differences, --keep leaves the servers' files.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { groups } from './cases/cases.ts'
import { unexpected } from './differences.ts'
import { writeGolden } from './golden.ts'
import type { Difference } from './normal.ts'
import { startOurs, type RunningPeer } from './peer.ts'
import { play } from './play.ts'
import { startUpstream, upstreamPrograms } from './upstream.ts'

const full = process.argv.includes('--full')

function option(name: string): string | undefined {
  const at = process.argv.indexOf(name)
  return at < 0 ? undefined : (process.argv[at + 1] ?? '')
}

async function main(): Promise<number> {
  const programs = upstreamPrograms()
  if (typeof programs === 'string') {
    console.log(`skipped: ${programs}`)
    return 0
  }
  const only = new RegExp(option('--only') ?? '')
  const update = process.argv.includes('--update')
  const dir = mkdtempSync(join(tmpdir(), 'kubun-peers-'))
  const peers: RunningPeer[] = []
  try {
    const upstream = await startUpstream(join(dir, 'upstream'), programs)
    peers.push(upstream)
    const ours = await startOurs(join(dir, 'ours'))
    peers.push(ours)
    return await compare(upstream, ours, { only, update })
  } finally {
    for (const peer of peers.toReversed()) await peer.stop()
    if (!process.argv.includes('--keep')) rmSync(dir, { recursive: true, force: true })
  }
}

async function compare(upstream: RunningPeer, ours: RunningPeer, { only, update }: { readonly only: RegExp; readonly update: boolean }): Promise<number> {
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
      for (const each of essential(found)) console.log(`  ${each.path}\n    upstream ${short(each.want)}\n    ours     ${short(each.have)}`)
    }
  }
  console.log(`\n${count.same} the same, ${count.different} different`)
  return count.different === 0 ? 0 : 1
}

/** Where the codes differ, every field of the answers does; two of them tell enough. */
function essential(found: readonly Difference[]): readonly Difference[] {
  return !full && found.some(({ path }) => path === 'code') ? found.filter(({ path }) => path === 'code' || path === 'body.message') : found
}

const shownMax = 600

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > shownMax ? `${text.slice(0, shownMax)}...` : text
}

process.exit(await main())
