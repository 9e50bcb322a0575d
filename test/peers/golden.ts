/** Upstream's answers as files: one a group, one line a case. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { CaseGroup } from './case.ts'
import type { Answer } from './send.ts'

function pathOf(group: CaseGroup): string {
  return new URL(`../golden/errors/${group.name}.json`, import.meta.url).pathname
}

export function writeGolden(group: CaseGroup, answers: ReadonlyMap<string, Answer>): void {
  const lines = [...answers].map(([name, { code, headers, body }]) => `${JSON.stringify(name)}: ${JSON.stringify({ code, headers, body })}`)
  mkdirSync(dirname(pathOf(group)), { recursive: true })
  writeFileSync(pathOf(group), `{\n${lines.join(',\n')}\n}\n`)
}

/** Undefined where nothing is kept yet. */
export function readGolden(group: CaseGroup): ReadonlyMap<string, Answer> | undefined {
  if (!existsSync(pathOf(group))) return undefined
  return new Map(Object.entries(JSON.parse(readFileSync(pathOf(group), 'utf8')) as Record<string, Answer>))
}
