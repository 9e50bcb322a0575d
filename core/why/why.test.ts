import { describe, expect, it } from 'vitest'
import { openLab, type Case } from './lab.fake.ts'
import { podCases } from './podcases.fake.ts'
import { schedulingCases } from './schedulingcases.fake.ts'
import { answerLines } from './text.ts'
import { workloadCases } from './workloadcases.fake.ts'

const tables: Readonly<Record<string, readonly Case[]>> = { scheduling: schedulingCases, pods: podCases, workloads: workloadCases }

describe.each(Object.entries(tables))('why: %s', (_, cases) => {
  it.each(cases.map((one) => [one.name, one] as const))('%s', async (_, { options, build, of, cause, lines = [], never, logs }) => {
    const lab = await openLab(options)
    try {
      await build(lab)
      await lab.settle()
      const answer = await lab.ask(of, logs)
      const said = answerLines(answer).map((line) => line.trim())
      // Names of pods end by chance.
      expect(said[0]?.replace(/\bpod (web|load)-[a-z0-9-]*[a-z][a-z0-9-]*/g, 'pod NAME')).toBe(cause)
      for (const line of lines) expect(said).toContain(line)
      if (never !== undefined) expect(said.filter((line) => line.includes(never))).toEqual([])
    } finally {
      await lab.close()
    }
  })
})
