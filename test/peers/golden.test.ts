/** Our API server answers as upstream's did when the golden data was written: the whole server, over TLS, without Go. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { groups } from './cases/cases.ts'
import { unexpected } from './differences.ts'
import { readGolden } from './golden.ts'
import { startOurs, type RunningPeer } from './peer.ts'
import { play } from './play.ts'

/** Seconds on a busy machine: a whole server starts, and its certificates are made. */
const limitMs = 60_000

describe('answers are upstream\'s', () => {
  let dir = ''
  let ours: RunningPeer | undefined

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'kubun-golden-'))
    ours = await startOurs(dir)
  }, limitMs)
  afterAll(async () => {
    await ours?.stop()
    rmSync(dir, { recursive: true, force: true })
  })

  for (const group of groups.filter(({ golden }) => golden)) {
    it(group.name, async () => {
      if (ours === undefined) throw new Error('no server')
      const have = await play(ours, group)
      const want = readGolden(group)
      expect(want, 'golden data: write it with npm run test:peers -- --update').toBeDefined()
      const wrong = [...(want ?? [])].flatMap(([name, answer]) => unexpected(group.name, name, answer, have.get(name)).map((found) => ({ name, ...found })))
      expect(wrong).toEqual([])
    }, limitMs)
  }
})
