/**
 * npm run test:peers -- [--update] [--only REGEXP] [--full] [--keep]: plays every case to upstream's kube-apiserver and to ours and
 * shows where the answers differ beyond the accepted list. --update writes upstream's answers as golden data, which
 * golden.test.ts holds against ours without Go. `generated` in front plays what generated/run.ts draws instead. --full shows all of long differences, --keep leaves the servers' files.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { groups } from './cases/cases.ts'
import { unexpected } from './differences.ts'
import { writeGolden } from './golden.ts'
import { runGenerated } from './generated/run.ts'
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
    if (process.argv[2] !== 'generated') return await compare(upstream, ours, { only, update })
    const number = (name: string, fallback: number): number => Number(option(name) ?? fallback)
    const [custom, record] = [process.argv.includes('--custom'), process.argv.includes('--record')]
    return await runGenerated(upstream, ours, { seed: number('--seed', 1), count: number('--count', 1_000), only, custom, record, shown })
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
      if (found.length > 0) console.log(shown(found))
    }
  }
  console.log(`\n${count.same} the same, ${count.different} different`)
  return count.different === 0 ? 0 : 1
}

function shown(found: readonly Difference[]): string {
  return essential(found).map((each) => {
    const from = full ? 0 : sharedStart(each.want, each.have)
    return `  ${each.path}\n    upstream ${short(each.want, from)}\n    ours     ${short(each.have, from)}`
  }).join('\n')
}

const contextMax = 60

/** How much of two long sentences is the same and need not be shown. */
function sharedStart(want: unknown, have: unknown): number {
  if (typeof want !== 'string' || typeof have !== 'string') return 0
  let at = 0
  while (at < want.length && want[at] === have[at]) at++
  return Math.max(0, at - contextMax)
}

/** Where the codes differ, every field of the answers does; two of them tell enough. */
function essential(found: readonly Difference[]): readonly Difference[] {
  return !full && found.some(({ path }) => path === 'code') ? found.filter(({ path }) => path === 'code' || path === 'body.message') : found
}

const shownMax = 600

function short(value: unknown, from: number): string {
  const text = from > 0 && typeof value === 'string' ? `...${JSON.stringify(value.slice(from))}` : (JSON.stringify(value) ?? 'nothing')
  return text.length > shownMax ? `${text.slice(0, shownMax)}...` : text
}

process.exit(await main())
