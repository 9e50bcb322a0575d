/**
 * npm run test:conformance -- --specs FILE [--kubeconfig FILE] [--images FILE] [--only REGEXP] [--failed] [--workers N]
 * [--timeout S]: runs specs of upstream's own end-to-end suite and keeps the ledger. FILE has one spec a line, or
 * tab-separated fields with the spec last; KUBUN_CONFORMANCE_SPECS names it, too. Without a kubeconfig a lab of two
 * nodes is made from the built executable, and --images (a `docker save` archive) loaded into its engines. Flags after
 * `--` go to the suite.
 */
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { readLedger, writeLedger, type Entry } from './ledger.ts'
import { executable, openClusterLab, type ClusterLab } from '../support/lab.ts'
import { runSpec, type Suite } from './spec.ts'

const bin = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'kubun-conformance', 'bin')

const howToBuild = `Build them from the Go module proxy, version v1.36.3, into ${bin}:
  kubectl:  go build -o kubectl k8s.io/kubernetes/cmd/kubectl
  e2e.test: go test -c -o e2e.test PACKAGE, a package whose test imports the spec packages under k8s.io/kubernetes/test/e2e
both in a module that requires k8s.io/kubernetes v1.36.3 and replaces its staging modules by v0.36.3.`

interface Options {
  readonly specs: string
  /** Undefined: a lab of our own. */
  readonly kubeconfig: string | undefined
  readonly images: string | undefined
  readonly only: RegExp
  readonly failed: boolean
  readonly workers: number
  readonly timeoutS: number
  readonly flags: readonly string[]
}

function options(): Options | string {
  const [, , ...all] = process.argv
  const end = all.indexOf('--')
  const own = end < 0 ? all : all.slice(0, end)
  const value = (name: string): string | undefined => (own.includes(name) ? own[own.indexOf(name) + 1] : undefined)
  const specs = value('--specs') ?? process.env['KUBUN_CONFORMANCE_SPECS']
  const kubeconfig = value('--kubeconfig')
  const images = value('--images') ?? process.env['KUBUN_CONFORMANCE_IMAGES']
  if (specs === undefined || !existsSync(specs)) return 'name the list of specs with --specs or KUBUN_CONFORMANCE_SPECS'
  for (const path of [kubeconfig, images]) if (path !== undefined && !existsSync(path)) return `${path} is not there`
  if (kubeconfig === undefined && !existsSync(executable)) return `${executable} is not built: npm run build, or name a cluster with --kubeconfig`
  const missing = ['e2e.test', 'kubectl'].filter((name) => !existsSync(join(bin, name)))
  if (missing.length > 0) return `${missing.join(' and ')} not found. ${howToBuild}`
  return {
    specs, kubeconfig, images,
    only: new RegExp(value('--only') ?? ''),
    failed: own.includes('--failed'),
    workers: Number(value('--workers') ?? 2),
    timeoutS: Number(value('--timeout') ?? 300),
    flags: end < 0 ? [] : all.slice(end + 1),
  }
}

/** The last field of each line that the filter takes; the filter sees the whole line. */
function specsOf(path: string, only: RegExp): readonly string[] {
  const lines = readFileSync(path, 'utf8').split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#') && only.test(line))
  return [...new Set(lines.map((line) => line.split('\t').at(-1) ?? ''))]
}

async function main(): Promise<number> {
  const asked = options()
  if (typeof asked === 'string') {
    console.error(asked)
    return 2
  }
  let ledger = readLedger()
  const note = (entry: Entry): void => {
    // read anew each time: another run may be under way
    ledger = readLedger().set(entry.spec, entry)
    writeLedger(ledger)
    console.log(`${entry.state}\t${entry.spec}\t${entry.reason}`)
  }
  const specs = specsOf(asked.specs, asked.only).filter((spec) => !asked.failed || ledger.get(spec)?.state !== 'passed')
  const { kubeconfig } = asked
  if (kubeconfig !== undefined) await runServed({ ...asked, bin, kubeconfig, within: [] }, specs, asked.workers, note)
  else if (specs.length > 0) await runInLab(asked, specs, note)
  const of = (state: Entry['state']): number => specs.filter((spec) => ledger.get(spec)?.state === state).length
  console.log(`${of('passed')} passed, ${of('failed')} failed, ${of('skipped')} skipped`)
  return of('failed') === 0 ? 0 : 1
}

async function runInLab(asked: Options, specs: readonly string[], note: (entry: Entry) => void): Promise<void> {
  const lab = await openClusterLab()
  try {
    await prepare(lab, asked.images)
    await runServed({ ...asked, bin, kubeconfig: lab.kubeconfig, within: ['nsenter', `--net=${lab.first.netns}`] }, specs, asked.workers, note)
  } finally {
    await lab.end()
  }
}

async function prepare(lab: ClusterLab, images: string | undefined): Promise<void> {
  const nodes = [lab.first, lab.second]
  if (images !== undefined) for (const node of nodes) await node.docker('load', '--quiet', '--input', images)
  await lab.startServer()
  await lab.startAgent()
  await lab.nodesReady(nodes.map((node) => node.name))
}

/** What disturbs others runs alone, after the rest. */
async function runServed(suite: Suite, specs: readonly string[], workers: number, note: (entry: Entry) => void): Promise<void> {
  await runAll(suite, specs.filter((spec) => !spec.includes('[Serial]')), workers, note)
  await runAll(suite, specs.filter((spec) => spec.includes('[Serial]')), 1, note)
}

async function runAll(suite: Suite, specs: readonly string[], workers: number, note: (entry: Entry) => void): Promise<void> {
  const rest = [...specs]
  const worker = async (): Promise<void> => {
    for (let spec = rest.shift(); spec !== undefined; spec = rest.shift()) note(await runSpec(suite, spec))
  }
  await Promise.all(Array.from({ length: workers }, worker))
}

process.exit(await main())
