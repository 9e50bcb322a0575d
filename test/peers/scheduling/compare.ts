/**
 * bun test/peers/scheduling/compare.ts [--plugin NAME] [--case N] [--all]: our scheduler beside upstream's answers that are
 * kept. Without NAME every part; NAME is a plugin (its filter and its score) or one of gates, refusals, decision and
 * preemption. Shows how many pods agree, and the first difference with its cluster; --all shows every difference in short.
 */
import { stringify } from 'yaml'
import type { TypedObject } from '../../../core/api/schema/types.ts'
import { drawCase, type Case } from './cluster.ts'
import { digestOf, goldenSeed, readGolden } from './golden.ts'
import { compare, parts, type Difference } from './parts.ts'
import { count, shown } from './tell.ts'

function option(name: string): string | undefined {
  const at = process.argv.indexOf(name)
  return at < 0 ? undefined : (process.argv[at + 1] ?? '')
}

function main(): number {
  const plugin = option('--plugin')
  const number = option('--case')
  const wanted = (part: string): boolean => plugin === undefined || part === plugin || part === `${plugin} score`
  if (!parts.some(wanted)) {
    console.log(`nothing is called ${plugin}: ${parts.join(', ')}`)
    return 2
  }
  const answers = readGolden().filter((each) => number === undefined || each.number === Number(number))
  const comparisons = answers.flatMap(({ number: at, digest, pods }) => {
    const drawn = drawCase(goldenSeed, at)
    if (digestOf(drawn) !== digest) throw new Error(`case ${at} is drawn otherwise than upstream was asked: npm run test:peers -- scheduling --update`)
    return compare(drawn, pods, wanted)
  })
  console.log(count(comparisons, parts.filter(wanted)))
  const differences = comparisons.flatMap(({ difference }) => (difference === undefined ? [] : [difference]))
  if (process.argv.includes('--all')) for (const each of differences) console.log(shown(each))
  const [first] = differences
  if (first !== undefined) console.log(`\n${clusterOf(drawCase(goldenSeed, first.number), first)}\n${shown(first)}`)
  return differences.length === 0 ? 0 : 1
}

/** The whole cluster, but for what no plugin reads. */
function clusterOf({ config, objects }: Case, { pod }: Difference): string {
  const rest = objects.filter((object) => object.kind !== 'Namespace' && `${object.metadata.namespace}/${object.metadata.name}` !== pod)
  const asked = objects.find((object) => object.kind === 'Pod' && `${object.metadata.namespace}/${object.metadata.name}` === pod)
  const line = (object: TypedObject): string => stringify(object, { collectionStyle: 'flow', lineWidth: 0 }).replaceAll('\n', '')
  return [...rest.map(line), ...(config === undefined ? [] : ['', `configuration: ${JSON.stringify(config.profiles)}`]), '', stringify(asked).trimEnd()].join('\n')
}

process.exit(main())
