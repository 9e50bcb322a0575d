/**
 * Our controllers beside upstream's, each over Kubun's own API (replaced.ts): a large Deployment, many small ones, a
 * namespace that goes. The scheduler is backlog.ts.
 */
import type { Bench } from './benches.ts'
import { inTurn } from './benches.ts'
import { measure, numberOf, type Row, type Subject } from './load.ts'
import type { Measure } from './tally.ts'

/** A Deployment of so many replicas exists in so many seconds; a namespace is gone in so many. */
const replicasOfGoal = 5_000
const replicasSMax = 5
const namespaceSMax = 10

export async function controllers(bench: Bench): Promise<void> {
  const { replicas, namespaceObjects } = bench.options
  for (const [deployments, each] of [[1, replicas], [100, Math.max(1, Math.floor(replicas / 500))]] as const) {
    const what = `${deployments} Deployment${deployments === 1 ? '' : 's'} of ${each} replica${each === 1 ? '' : 's'}`
    await inTurn(bench, [what], async (subject) => {
      for (const row of await measure(bench.kbench, subject, 'deploy', ['--deployments', String(deployments), '--replicas', String(each)])) {
        if (row['bench'] !== 'deploy' || !bench.tally.admits(row)) continue
        addCosts(bench, subject, what, { row, of: deployments * each, seconds: 'all_pods_exist_s', ...(each >= replicasOfGoal ? { goal: { absoluteMax: replicasSMax } } : {}) })
        bench.tally.add(subject.name, { what, of: 'its status is right', unit: 's' }, waited(row, 'status_ok_s'))
        bench.tally.add(subject.name, { what, of: 'deleted with its Pods', unit: 's' }, waited(row, 'cascade_all_gone_s'))
      }
    })
  }
  const what = `namespace of ${namespaceObjects} objects goes`
  await inTurn(bench, [what], async (subject) => {
    for (const row of await measure(bench.kbench, subject, 'nsdelete', ['--n', String(namespaceObjects)])) {
      if (row['bench'] !== 'nsdelete' || !bench.tally.admits(row)) continue
      addCosts(bench, subject, what, { row, of: namespaceObjects, seconds: 'gone_s', goal: { absoluteMax: namespaceSMax } })
    }
  })
}

function addCosts({ tally }: Bench, subject: Subject, what: string, { row, of, seconds, goal }: { readonly row: Row; readonly of: number; readonly seconds: string; readonly goal?: Measure['goal'] }): void {
  const took = waited(row, seconds)
  tally.add(subject.name, { what, of: 'rate', unit: '/s' }, of / took)
  tally.add(subject.name, { what, of: 'time', unit: 's', ...(goal === undefined ? {} : { goal }) }, took)
  tally.add(subject.name, { what, of: 'CPU of server and part', unit: 'ms/op' }, ((numberOf(row, 'server_cpu_s') ?? Number.NaN) * 1_000) / of)
  tally.add(subject.name, { what, of: 'RSS of server and part', unit: 'MB' }, numberOf(row, 'server_rss_mb'))
}

/** kbench says -1 for what did not come. */
function waited(row: Row, field: string): number {
  const took = numberOf(row, field) ?? -1
  if (took < 0) throw new Error(`${field} did not come: ${JSON.stringify(row)}`)
  return took
}
