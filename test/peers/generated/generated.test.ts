/** Generated requests of a run on which both servers agreed: ours still answers as upstream's did. Written with --record. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { namespaceCases } from '../case.ts'
import { unexpected } from '../differences.ts'
import { startOurs } from '../peer.ts'
import { play } from '../play.ts'
import { Sends } from '../send.ts'
import { inOrder } from './order.ts'
import { readRecorded } from './recorded.ts'

const limitMs = 120_000
const requestsMin = 500

it('generated requests are answered as upstream answers them', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'kubun-generated-'))
  const ours = await startOurs(dir)
  const sends = new Sends(ours)
  const wrong: unknown[] = []
  let requests = 0
  try {
    await play(ours, { cases: namespaceCases('generated') }, sends)
    for (const { cases, answers } of readRecorded()) {
      const have = await play(ours, { cases }, sends)
      requests += cases.length
      for (const [name, want] of answers) wrong.push(...unexpected('generated', name, inOrder(want), inOrder(have.get(name))).map((found) => ({ name, ...found })))
    }
  } finally {
    sends.close()
    await ours.stop()
    rmSync(dir, { recursive: true, force: true })
  }
  expect(wrong).toEqual([])
  expect(requests).toBeGreaterThan(requestsMin)
}, limitMs)
