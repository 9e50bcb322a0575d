/** What `npm run bench` is asked to measure. */
import { parseArgs } from 'node:util'

export const parts = ['start', 'api', 'list', 'informer', 'watch', 'crd', 'fair', 'idle', 'scheduler', 'controllers'] as const
export type Part = (typeof parts)[number]

export interface Options {
  readonly parts: ReadonlySet<Part>
  readonly repetitions: number
  /** Rounds beyond these that make up for rows that were thrown away. */
  readonly extraRounds: number
  /** Clients at the same time. */
  readonly clients: readonly number[]
  /** Objects of one measurement. */
  readonly objects: number
  readonly listPods: number
  readonly informerPods: number
  readonly definitions: number
  readonly watchers: number
  readonly watchS: number
  readonly idleS: number
  readonly fairS: number
  /** Hollow nodes, ever more of them. */
  readonly schedNodes: readonly number[]
  readonly schedPods: number
  /** Of one Deployment. */
  readonly replicas: number
  readonly namespaceObjects: number
  /** Counts also rows during which others used the machine. */
  readonly busy: boolean
  /** Name of the report that the numbers go into; a quick run has none. */
  readonly report: string | undefined
}

export const usage = `npm run bench -- [--quick] [--busy] [--repetitions N] [--only ${parts.join(',')}]

  --quick        one repetition of everything, short: whether it runs and roughly how it stands
  --busy         counts also what others disturbed, each once: for a machine that is never quiet;
                 CPU an operation and ratios hold, rates do not
  --repetitions  of each measurement (3)
  --only         these parts alone; scheduler and controllers compare with upstream's over Kubun's own API

A whole run with --repetitions 1 takes half an hour, with 3 an hour and more; it writes test/perf/report.md, and one of
some parts test/perf/report-PARTS.md.`

/** Throws one sentence for what it does not know. */
export function readOptions(argv: readonly string[]): Options | undefined {
  const { values } = parseArgs({ args: [...argv], options: { quick: { type: 'boolean' }, only: { type: 'string' }, repetitions: { type: 'string' }, busy: { type: 'boolean' }, help: { type: 'boolean' } } })
  if (values.help === true) return undefined
  const asked = values.only?.split(',') ?? [...parts]
  for (const name of asked) if (!(parts as readonly string[]).includes(name)) throw new Error(`there is no part "${name}": ${parts.join(', ')}`)
  const wanted = new Set(asked as Part[])
  const whole = values.quick !== true
  const repetitions = Number(values.repetitions ?? (whole && values.busy !== true ? 3 : 1))
  if (!Number.isInteger(repetitions) || repetitions < 1) throw new Error(`--repetitions must be a whole number from 1, not ${values.repetitions ?? ''}`)
  return {
    parts: wanted,
    repetitions,
    extraRounds: whole ? 3 : 0,
    busy: values.busy === true,
    clients: whole ? [1, 16, 64] : [16],
    objects: whole ? 3_000 : 2_000,
    listPods: whole ? 10_000 : 2_000,
    informerPods: whole ? 50_000 : 5_000,
    definitions: whole ? 500 : 200,
    watchers: whole ? 1_000 : 200,
    watchS: whole ? 10 : 3,
    idleS: whole ? 60 : 5,
    fairS: whole ? 10 : 3,
    schedNodes: whole ? [1_000, 5_000] : [100],
    schedPods: whole ? 5_000 : 300,
    replicas: whole ? 5_000 : 300,
    namespaceObjects: whole ? 10_000 : 200,
    report: !whole ? undefined : wanted.size === parts.length ? 'report.md' : `report-${[...wanted].join('-')}.md`,
  }
}
