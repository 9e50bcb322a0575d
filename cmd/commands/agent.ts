/** kubun agent: this machine as a node of a cluster. */
import { resolve } from 'node:path'
import * as z from 'zod'
import { childCtx } from '../../core/lib/ctx.ts'
import { systemRandom } from '../../core/lib/random.ts'
import { onParentGone } from '../child.ts'
import { address, cidr, count, domain, folder, port } from '../flags.ts'
import { command, CommandError } from '../command.ts'
import { defaultAddress, defaultNodeName, missingForNode, mustBeFree, mustBeRoot } from '../machine.ts'
import { apiVersion } from '../version.ts'

const taint = z.string().regex(/^[^=:]+(=[^:]*)?:(NoSchedule|PreferNoSchedule|NoExecute)$/, 'must look like key=value:NoSchedule')
const label = z.string().regex(/^[^=]+=[^=]*$/, 'must look like key=value')

const agentFlags = z.object({
  server: z.url('must be a URL such as https://first:6443').describe('URL of the first node'),
  token: z.string().optional().describe('the token that kubun token create prints there'),
  'data-dir': z.string().default('/var/lib/kubun').describe('where the state of the node is kept'),
  'node-name': z.string().optional().describe('name of this node (default: the host name)'),
  'node-ip': address.optional().describe("address of this node (default: the default route's interface)"),
  'node-label': z.array(label).default([]).describe('label of the node, key=value'),
  'node-taint': z.array(taint).default([]).describe('taint of the node, key=value:effect'),
  'kubelet-port': port.default(10_250).describe('port of the kubelet'),
  'docker-socket': z.string().default('/var/run/docker.sock').describe('socket of Docker Engine'),
  'vxlan-port': port.default(8_472).describe('UDP port of traffic between nodes'),
  'cluster-cidr': cidr.default('10.42.0.0/16').describe('addresses of pods, as the server has them'),
  'service-cidr': cidr.default('10.43.0.0/16').describe('addresses of Services, as the server has them'),
  'cluster-dns': address.default('10.43.0.10').describe('address of the cluster DNS'),
  'cluster-domain': domain.default('cluster.local').describe('domain of the cluster'),
  'max-pods': count(1).default(110).describe('pods that fit on this node'),
  'local-storage-path': folder.optional().describe('where volumes of the class local-path lie (default: DATA-DIR/storage)'),
  'stop-with-parent': z.boolean().default(false).describe('end when standard input closes'),
})

export const agentCommand = command({
  name: 'agent',
  summary: 'run this machine as a node of a cluster',
  flags: agentFlags,
  async run(parent, _terminal, flags) {
    mustBeRoot('kubun agent')
    const [missing] = await missingForNode(flags['docker-socket'])
    if (missing !== undefined) throw new CommandError(missing)
    await mustBeFree('0.0.0.0', flags['kubelet-port'], 'kubelet-port')
    const { ctx, end } = childCtx(parent)
    if (flags['stop-with-parent']) onParentGone(() => end(new Error('the server is gone')))
    const nodeIp = flags['node-ip'] ?? defaultAddress()
    const config = {
      server: flags.server,
      token: flags.token,
      dataDir: flags['data-dir'],
      nodeName: flags['node-name'] ?? defaultNodeName(),
      nodeIp,
      kubeletPort: flags['kubelet-port'],
      dockerSocket: flags['docker-socket'],
      clusterCidrs: [flags['cluster-cidr']],
      serviceCidr: flags['service-cidr'],
      clusterDns: flags['cluster-dns'],
      clusterDomain: flags['cluster-domain'],
      vxlanPort: flags['vxlan-port'],
      labels: labelsOf(flags['node-label']),
      taints: flags['node-taint'].map(taintOf),
      podsMax: flags['max-pods'],
      localStoragePath: flags['local-storage-path'] ?? resolve(flags['data-dir'], 'storage'),
      version: apiVersion,
    }
    const { JoinError, runAgent } = await import('../../agents/agent.ts') // only a node pays for Docker's client
    try {
      await runAgent(ctx, config, systemRandom)
    } catch (error) {
      if (ctx.signal.aborted) return 0
      if (error instanceof JoinError) throw new CommandError(error.message)
      throw error
    }
    return 0
  },
})

function labelsOf(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]))
}

function taintOf(text: string): { key: string; value?: string; effect: string } {
  const [, key = '', value, effect = ''] = /^([^=:]+)(?:=([^:]*))?:(\w+)$/.exec(text) ?? []
  return { key, effect, ...(value === undefined ? {} : { value }) }
}
