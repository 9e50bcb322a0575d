/**
 * npm run test:peers -- generated [--seed N] [--count M] [--only REGEXP] [--custom] [--record]: M requests that follow from seed N,
 * to upstream's server and to ours at once. Shows the first difference of each sequence, for later ones follow from it.
 * --custom: custom kinds only. --record keeps the requests on which both agree with upstream's answers, for generated.test.ts.
 */
import { namespaceCases, type Case } from '../case.ts'
import { unexpected } from '../differences.ts'
import type { Difference } from '../normal.ts'
import type { RunningPeer } from '../peer.ts'
import { play } from '../play.ts'
import { Sends, type Answer } from '../send.ts'
import { shown } from '../show.ts'
import { customSeed } from './custom.ts'
import { Draw } from './draw.ts'
import { inOrder } from './order.ts'
import { writeRecorded, type Recorded } from './recorded.ts'
import { seeds } from './seeds.ts'
import { sequenceOf } from './sequence.ts'

export interface GeneratedOptions {
  readonly seed: number
  readonly count: number
  readonly only: RegExp
  readonly custom: boolean
  readonly record: boolean
  readonly full: boolean
}

interface Sequence {
  readonly title: string
  readonly cases: readonly Case[]
}

/** How many sequences are drawn of one generated kind. */
const sequencesOfCustom = 12
const namespace = 'generated'

/** Without end; each is drawn from a seed of its own, so that one can be played alone. */
function* sequences({ seed, only, custom }: GeneratedOptions): Generator<Sequence> {
  const wanted = seeds.filter((each) => only.test(each.kind.plural))
  for (let number = 0; ; number++) {
    const draw = new Draw(seed * 1_000_003 + number)
    if (custom || wanted.length === 0 || (number % 10 === 0 && only.test('custom'))) {
      const made = customSeed(draw, number)
      const cases = Array.from({ length: sequencesOfCustom }, (_, i) => sequenceOf(draw, made.seed, { number: number * 100 + i, namespace, custom: true })).flat()
      yield { title: 'custom', cases: [...made.cases, ...cases] }
    } else {
      const drawn = draw.one(wanted)
      yield { title: drawn.kind.plural, cases: sequenceOf(draw, drawn, { number, namespace, custom: false }) }
    }
  }
}

export async function runGenerated(upstream: RunningPeer, ours: RunningPeer, options: GeneratedOptions): Promise<boolean> {
  const count = { requests: 0, same: 0, different: 0, followed: 0 }
  const recorded: Recorded[] = []
  const [left, right] = [new Sends(upstream), new Sends(ours)]
  const both = async (cases: readonly Case[]): Promise<readonly [ReadonlyMap<string, Answer>, ReadonlyMap<string, Answer>]> =>
    await Promise.all([play(upstream, { cases }, left), play(ours, { cases }, right)])
  try {
    await both(namespaceCases(namespace))
    for (const { title, cases } of sequences(options)) {
      const [want, have] = await both(cases)
      const differs = (one: Case): readonly Difference[] => {
        const [left, right] = [want.get(one.name), have.get(one.name)].map((answer) => (title === 'custom' ? inOrder(answer) : answer))
        return unexpected('generated', one.name, left, right)
      }
      const differing = cases.find((one) => differs(one).length > 0)
      const agreed = differing === undefined ? cases.length : cases.indexOf(differing)
      count.requests += cases.length
      count.same += agreed
      if (differing !== undefined) {
        count.different++
        count.followed += cases.length - agreed - 1
        show(title, differing, differs(differing), options)
      } else if (options.record && !cases.some(({ path }) => path.includes('watch=1'))) recorded.push({ cases, answers: [...want] })
      if (count.requests >= options.count) break
    }
  } finally {
    left.close()
    right.close()
  }
  if (options.record) writeRecorded(recorded)
  console.log(`\nseed ${options.seed}: ${count.requests} requests, ${count.same} the same, ${count.different} different, ${count.followed} after a difference in their sequence`)
  return count.different === 0
}

const bodyShownMax = 1_500

function show(title: string, one: Case, found: readonly Difference[], { full }: GeneratedOptions): void {
  const body = one.binary ?? (typeof one.body === 'string' ? one.body : one.body === undefined ? '' : JSON.stringify(one.body))
  console.log(`\n${title}: ${one.name}\n  ${one.method ?? 'GET'} ${one.path} ${one.type ?? ''}\n  ${body.slice(0, bodyShownMax)}\n${shown(found, full)}`)
}
