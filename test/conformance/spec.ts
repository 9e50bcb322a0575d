/** Runs one spec of upstream's suite in a process of its own and reads its report. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { reasonOf, type Entry } from './ledger.ts'

export interface Suite {
  /** Where e2e.test and kubectl are. */
  readonly bin: string
  readonly kubeconfig: string
  /** What the suite's processes run under, to be on the nodes' network: `nsenter --net=...`. */
  readonly within: readonly string[]
  readonly timeoutS: number
  /** Further flags of e2e.test. */
  readonly flags: readonly string[]
}

/** A suite that does not end by its own time-out is killed after so much more. */
const graceMs = 60_000

interface Report {
  readonly SpecReports: readonly {
    readonly ContainerHierarchyTexts: readonly string[] | null
    readonly LeafNodeText: string
    readonly State: string
    readonly Failure?: { readonly Message?: string }
  }[]
}

export async function runSpec(suite: Suite, spec: string): Promise<Entry> {
  const dir = mkdtempSync(join(tmpdir(), 'kubun-spec-'))
  const report = join(dir, 'report.json')
  const args = [
    `--kubeconfig=${suite.kubeconfig}`, '--provider=skeleton', `--kubectl-path=${join(suite.bin, 'kubectl')}`, '--allowed-not-ready-nodes=-1', '--minStartupPods=-1', '--num-nodes=0',
    '--dump-logs-on-failure=false', '--ginkgo.no-color', `--ginkgo.timeout=${suite.timeoutS}s`, '--ginkgo.grace-period=10s', `--ginkgo.json-report=${report}`, `--ginkgo.focus=${quoted(spec)}`, ...suite.flags,
  ]
  try {
    const finished = await ends('nice', ['-n', '5', ...suite.within, join(suite.bin, 'e2e.test'), ...args], suite.timeoutS * 1_000 + graceMs)
    return finished ? entryOf(report, spec) : { state: 'failed', spec, reason: `no end within ${suite.timeoutS} s` }
  } catch (error) {
    return { state: 'failed', spec, reason: reasonOf(`no report: ${String(error)}`) }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

function entryOf(report: string, spec: string): Entry {
  const [suite] = JSON.parse(readFileSync(report, 'utf8')) as readonly Report[]
  const found = suite?.SpecReports.find((each) => [...(each.ContainerHierarchyTexts ?? []), each.LeafNodeText].join(' ') === spec)
  if (found === undefined) return { state: 'failed', spec, reason: 'the suite has no such spec' }
  if (found.State === 'passed') return { state: 'passed', spec, reason: '' }
  const why = reasonOf(found.Failure?.Message ?? found.State)
  return { state: found.State === 'skipped' ? 'skipped' : 'failed', spec, reason: found.State === 'timedout' ? `time-out: ${why}` : why }
}

/** For Go's regular expressions. */
function quoted(text: string): string {
  return text.replaceAll(/[\\.+*?()|[\]{}^$]/g, '\\$&')
}

/** Whether the program ended by itself. */
function ends(program: string, args: readonly string[], timeoutMs: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'ignore' })
    let own = true
    const timer = setTimeout(() => {
      own = false
      child.kill('SIGKILL')
    }, timeoutMs)
    child.once('error', reject)
    child.once('exit', () => {
      clearTimeout(timer)
      resolve(own)
    })
  })
}
