/**
 * controller-runtime's own tests against our executable: each suite gets a server of its own whose controllers do not
 * run, like the bare API server that it was written for (envtest), and a copy of the module's sources, where its test data is.
 */
import { chmodSync, cpSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { controllers } from '../../../core/controllers/controllers.ts'
import { run } from '../../support/process.ts'
import { startExecutable } from './plane.ts'
import { built, sourcesOf, suiteProgram } from './programs.ts'

interface Suite {
  readonly part: string
  /** Specs that ask for what envtest's API server has and ours has not, each with its reason. */
  readonly skip?: readonly { readonly spec: string; readonly reason: string }[]
}

const envtests = 'envtest runs without the admission of service accounts, so a namespace has no account of its own there'

const suites: readonly Suite[] = [
  { part: 'client' },
  {
    part: 'cache',
    skip: [
      { spec: 'Should list serviceaccounts and find exactly one in namespace test-namespace-1', reason: envtests },
      { spec: 'should be able to list objects that are configured to be watched', reason: 'it wants no Service but kubernetes; ours makes kube-dns' },
      { spec: 'context is cancelled', reason: 'a race of the test itself: the cache must still be empty when it asks' },
      { spec: 'should allow for get informer to be cancelled', reason: 'a race of the test itself: the informer must not be in step when it asks' },
    ],
  },
  { part: 'envtest' }, { part: 'webhook' }, { part: 'controller' }, { part: 'manager' }, { part: 'builder' }, { part: 'internal/controller' }, { part: 'source' }, { part: 'cluster' },
  { part: 'controller/controllerutil' }, { part: 'internal/recorder' },
]

/** Of the API server itself, and the account that pods need. */
const kept = /^(crd-|kubernetes-service|autoregister|apiservice|cluster-authentication|service-account-controller)/
const suiteMs = 300_000

export async function runSuites(dir: string): Promise<boolean> {
  const sources = join(dir, 'controller-runtime')
  cpSync(sourcesOf('sigs.k8s.io/controller-runtime'), sources, { recursive: true })
  makeWritable(sources)
  const disable = ['scheduler', ...controllers.map(({ name }) => name).filter((name) => !kept.test(name))]
  let good = true
  for (const { part, skip = [] } of suites) {
    const program = built(suiteProgram(part))
    const plane = await startExecutable(join(dir, `suite-${part.replaceAll('/', '-')}`), { disable })
    const env = { USE_EXISTING_CLUSTER: 'true', KUBECONFIG: plane.kubeconfig }
    const args = ['--ginkgo.no-color', ...skip.map(({ spec }) => `--ginkgo.skip=${spec}`)]
    const done = await run(program, args, { env, cwd: join(sources, 'pkg', part), timeoutMs: suiteMs })
    good &&= done.code === 0
    const lines = done.stdout.split('\n').filter((line) => /^(Ran |(SUCCESS|FAIL)!)|^\s*\[FAIL\]|^--- FAIL/.test(line))
    console.log([`controller-runtime, ${part}: exit code ${done.code}`, ...lines.map((line) => line.trim())].join('\n  '))
    await plane.stop()
  }
  return good
}

/** What Go keeps is read-only, also its directories, into which tests write. */
function makeWritable(dir: string): void {
  chmodSync(dir, 0o755)
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name)
    if (entry.isDirectory()) makeWritable(path)
    else chmodSync(path, statSync(path).mode | 0o200)
  }
}
