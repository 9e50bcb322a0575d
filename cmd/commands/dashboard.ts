/** kubun dashboard: prints a link that signs the kubeconfig's user in at the dashboard, once, within ten minutes. */
import * as z from 'zod'
import { textOf } from '../../core/client/lines.ts'
import { withTimeout } from '../../core/lib/ctx.ts'
import { command } from '../command.ts'
import { adminClient, kubeconfigFlag, kubeconfigPath } from '../kubeconfig.ts'

const answerMsMax = 30_000

const flags = z.object({
  kubeconfig: kubeconfigFlag('the user who is to be signed in'),
  address: z.string().optional().describe('https://HOST:PORT under which the browser reaches the server (default: the one in the kubeconfig)'),
})

export const dashboardCommand = command({
  name: 'dashboard',
  summary: 'print a link that signs you in at the dashboard',
  flags,
  async run(ctx, terminal, options) {
    const { client, server } = adminClient(kubeconfigPath(options.kubeconfig))
    try {
      const { path, user, expiresS } = await withTimeout(ctx, answerMsMax, async (timed) => {
        const answer = await client.raw(timed, { method: 'POST', path: '/ui/codes' })
        return JSON.parse(await textOf(answer.body)) as { readonly path: string; readonly user: string; readonly expiresS: number }
      })
      terminal.print(`${(options.address ?? server).replace(/\/$/, '')}${path}`)
      terminal.complain(`signs you in as ${user}, once, within ${Math.round(expiresS / 60)} minutes`)
      return 0
    } finally {
      client.close()
    }
  },
})
