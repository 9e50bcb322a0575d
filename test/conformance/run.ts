/**
 * npm run test:conformance -- --specs FILE [--kubeconfig FILE] [--only REGEXP] [--failed] [--workers N] [--timeout S]:
 * runs specs of upstream's own end-to-end suite against a cluster and keeps the ledger. FILE has one spec a line, or
 * tab-separated fields with the spec last; KUBUN_CONFORMANCE_SPECS names it, too. Flags after `--` go to the suite.
 */
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { readLedger, writeLedger, type Entry } from './ledger.ts'
import { runSpec, type Suite } from './spec.ts'
import { unserved } from './unserved.ts'

const bin = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'kubun-conformance', 'bin')

const howToBuild = `Build them from the Go module proxy, version v1.36.3, into ${bin}:
  kubectl:  go build -o kubectl k8s.io/kubernetes/cmd/kubectl
  e2e.test: go test -c -o e2e.test PACKAGE, a package whose test imports the spec packages under k8s.io/kubernetes/test/e2e
both in a module that requires k8s.io/kubernetes v1.36.3 and replaces its staging modules by v0.36.3.`

interface Options {
  readonly specs: string
  readonly kubeconfig: string
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
  const kubeconfig = value('--kubeconfig') ?? process.env['KUBECONFIG']
  if (specs === undefined || !existsSync(specs)) return 'name the list of specs with --specs or KUBUN_CONFORMANCE_SPECS'
  if (kubeconfig === undefined || !existsSync(kubeconfig)) return 'name the cluster with --kubeconfig or KUBECONFIG'
  const missing = ['e2e.test', 'kubectl'].filter((name) => !existsSync(join(bin, name)))
  if (missing.length > 0) return `${missing.join(' and ')} not found. ${howToBuild}`
  return {
    specs, kubeconfig,
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
  const ledger = readLedger()
  const note = (entry: Entry): void => {
    ledger.set(entry.spec, entry)
    writeLedger(ledger)
    console.log(`${entry.state}\t${entry.spec}\t${entry.reason}`)
  }
  const specs = specsOf(asked.specs, asked.only).filter((spec) => !asked.failed || ledger.get(spec)?.state !== 'passed')
  const served = specs.filter((spec) => {
    const why = unserved.find((each) => each.specs.test(spec))
    if (why !== undefined) note({ state: 'failed', spec, reason: why.reason })
    return why === undefined
  })
  const suite: Suite = { bin, ...asked }
  // what disturbs others runs alone, after the rest
  await runAll(suite, served.filter((spec) => !spec.includes('[Serial]')), asked.workers, note)
  await runAll(suite, served.filter((spec) => spec.includes('[Serial]')), 1, note)
  const of = (state: Entry['state']): number => specs.filter((spec) => ledger.get(spec)?.state === state).length
  console.log(`${of('passed')} passed, ${of('failed')} failed, ${of('skipped')} skipped`)
  return of('failed') === 0 ? 0 : 1
}

async function runAll(suite: Suite, specs: readonly string[], workers: number, note: (entry: Entry) => void): Promise<void> {
  const rest = [...specs]
  const worker = async (): Promise<void> => {
    for (let spec = rest.shift(); spec !== undefined; spec = rest.shift()) note(await runSpec(suite, spec))
  }
  await Promise.all(Array.from({ length: workers }, worker))
}

process.exit(await main())
