/**
 * Our scheduler and our controllers beside upstream's, each over Kubun's own API (replaced.ts): pods on hollow nodes, a
 * large Deployment, a namespace that goes, and what another client notices while pods are scheduled.
 */
import type { Bench } from './benches.ts'
import { inTurn } from './benches.ts'
import { accessOf } from './access.ts'
import { measure, numberOf, type Row, type Subject } from './load.ts'
import { probing } from './probe.ts'

const variants = ['basic', 'spread', 'antiaffinity'] as const
/** Pods of a group stay apart: no more of them than nodes. */
const groups = 10

/** Pods on ever more nodes: those of the smaller measurement are there already. */
export async function scheduler(bench: Bench): Promise<void> {
  const { schedNodes, schedPods } = bench.options
  for (const nodes of schedNodes) {
    for (const variant of variants) {
      const what = `schedule ${schedPods} Pods on ${nodes} nodes, ${variant}`
      await inTurn(bench, [what], async (subject) => {
        const probe = await probing(accessOf(subject.kubeconfig))
        const rows = await measure(bench.kbench, subject, 'sched', ['--nodes', String(nodes), '--pods', String(schedPods), '--variant', variant, '--groups', String(groups)])
        const times = await probe.end()
        const row = rows.find((each) => each['bench'] === 'sched')
        if (row === undefined || numberOf(row, 'bound') !== schedPods) throw new Error(`${subject.name} did not schedule all Pods: ${JSON.stringify(row)}`)
        if (!bench.tally.admits(row)) return
        addCosts(bench, subject, what, { row, of: schedPods, seconds: 'total_s' })
        bench.tally.add(subject.name, { what, of: 'a Pod waits, p99', unit: 'ms' }, numberOf(row, 'pod_p99_ms'))
        bench.tally.add(subject.name, { what, of: 'get beside it, p50', unit: 'ms' }, times.p50Ms)
        bench.tally.add(subject.name, { what, of: 'get beside it, p99', unit: 'ms' }, times.p99Ms)
      })
    }
  }
}

export async function controllers(bench: Bench): Promise<void> {
  const { replicas, namespaceObjects } = bench.options
  for (const [deployments, each] of [[1, replicas], [100, Math.max(1, Math.floor(replicas / 500))]] as const) {
    const what = `${deployments} Deployment${deployments === 1 ? '' : 's'} of ${each} replica${each === 1 ? '' : 's'}`
    await inTurn(bench, [what], async (subject) => {
      for (const row of await measure(bench.kbench, subject, 'deploy', ['--deployments', String(deployments), '--replicas', String(each)])) {
        if (row['bench'] !== 'deploy' || !bench.tally.admits(row)) continue
        addCosts(bench, subject, what, { row, of: deployments * each, seconds: 'all_pods_exist_s' })
        bench.tally.add(subject.name, { what, of: 'its status is right', unit: 's' }, waited(row, 'status_ok_s'))
        bench.tally.add(subject.name, { what, of: 'deleted with its Pods', unit: 's' }, waited(row, 'cascade_all_gone_s'))
      }
    })
  }
  const what = `namespace of ${namespaceObjects} objects goes`
  await inTurn(bench, [what], async (subject) => {
    for (const row of await measure(bench.kbench, subject, 'nsdelete', ['--n', String(namespaceObjects)])) {
      if (row['bench'] !== 'nsdelete' || !bench.tally.admits(row)) continue
      addCosts(bench, subject, what, { row, of: namespaceObjects, seconds: 'gone_s' })
    }
  })
}

function addCosts({ tally }: Bench, subject: Subject, what: string, { row, of, seconds }: { readonly row: Row; readonly of: number; readonly seconds: string }): void {
  const took = waited(row, seconds)
  tally.add(subject.name, { what, of: 'rate', unit: '/s' }, of / took)
  tally.add(subject.name, { what, of: 'time', unit: 's' }, took)
  tally.add(subject.name, { what, of: 'CPU of server and part', unit: 'ms/op' }, ((numberOf(row, 'server_cpu_s') ?? Number.NaN) * 1_000) / of)
  tally.add(subject.name, { what, of: 'RSS of server and part', unit: 'MB' }, numberOf(row, 'server_rss_mb'))
}

/** kbench says -1 for what did not come. */
function waited(row: Row, field: string): number {
  const took = numberOf(row, field) ?? -1
  if (took < 0) throw new Error(`${field} did not come: ${JSON.stringify(row)}`)
  return took
}
