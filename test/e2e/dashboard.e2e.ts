/**
 * The dashboard's specs against a server without machines, so that they can be run alone and in seconds; the
 * demonstration runs them against a real cluster. By hand against any server, with a Deployment `web` in default:
 *   KUBUN_DASHBOARD_KUBECONFIG=/etc/kubun/kubun.yaml bun --bun vitest run -c test/e2e.config.ts test/e2e/dashboard.e2e.ts
 */
import { afterAll, beforeAll, describe } from 'vitest'
import { adminClient } from '../../cmd/kubeconfig.ts'
import { textOf } from '../../core/client/lines.ts'
import { systemClock } from '../../core/lib/clock.ts'
import type { Ctx } from '../../core/lib/ctx.ts'
import { silentLog } from '../../core/lib/log.ts'
import { openHollow, type Hollow } from '../support/hollow.ts'
import { missing } from '../support/machine.ts'
import { must, poll, run } from '../support/process.ts'
import { chromiumPath, dashboardSpecs, type DashboardLab } from './specs/dashboard.ts'

const named = process.env['KUBUN_DASHBOARD_KUBECONFIG']
const lacking = missing('kubectl', 'curl', chromiumPath)
const title = lacking === undefined ? 'a server to look at' : `a server to look at (skipped: this machine has no ${lacking})`

describe.skipIf(lacking !== undefined)(title, () => {
  let hollow: Hollow | undefined
  let lab: DashboardLab

  beforeAll(async () => {
    if (named === undefined) hollow = await openHollow(['one', 'two'])
    lab = labOf(named ?? hollow?.kubeconfig ?? '', named === undefined ? /line \d+ of default\/web/ : /\S/)
    if (hollow === undefined) return
    await lab.kubectl(['create', 'deployment', 'web', '-n', 'default', '--image=example/web', '--replicas=2'])
    await poll('the pods to be ready', 20_000, async () => {
      const ready = await lab.kubectl(['get', 'deployment', 'web', '-n', 'default', '-o', 'jsonpath={.status.readyReplicas}'])
      return ready === '2' ? { ready } : `ready: ${ready}`
    })
  })

  afterAll(async () => {
    await hollow?.end()
  })

  dashboardSpecs(() => lab)
})

function labOf(kubeconfig: string, log: RegExp): DashboardLab {
  const { client, server } = adminClient(kubeconfig)
  const ctx: Ctx = { signal: new AbortController().signal, clock: systemClock, log: silentLog }
  return {
    url: server,
    chromium: chromiumPath,
    deployment: 'web',
    log,
    run,
    kubectl: (words) => must('kubectl', words, { env: { KUBECONFIG: kubeconfig } }),
    async link() {
      const { body } = await client.raw(ctx, { method: 'POST', path: '/ui/codes' })
      return `${server}${(JSON.parse(await textOf(body)) as { path: string }).path}`
    },
  }
}
