/** kubun uninstall: takes Kubun off this machine, its pods and, when asked, its data. */
import { rmSync } from 'node:fs'
import * as z from 'zod'
import { command, CommandError } from '../command.ts'
import { cidr, port } from '../flags.ts'
import { defaultKubeconfig } from '../kubeconfig.ts'
import { defaultNodeName, missingForNode, mustBeFree, mustBeRoot } from '../machine.ts'

export const uninstallCommand = command({
  name: 'uninstall',
  summary: 'remove the pods, rules and devices of this node, and with --purge all data',
  flags: z.object({
    'data-dir': z.string().default('/var/lib/kubun').describe('where the state of server and node is kept'),
    'node-name': z.string().optional().describe('name of this node (default: the host name)'),
    'docker-socket': z.string().default('/var/run/docker.sock').describe('socket of Docker Engine'),
    'cluster-cidr': cidr.default('10.42.0.0/16').describe('addresses of pods'),
    'kubelet-port': port.default(10_250).describe('port of the kubelet, to see that it does not run'),
    purge: z.boolean().default(false).describe('delete the data dir and the kubeconfig, too: the cluster is lost'),
  }),
  async run(ctx, terminal, flags) {
    mustBeRoot('kubun uninstall')
    const [missing] = await missingForNode(flags['docker-socket'])
    if (missing !== undefined) throw new CommandError(missing)
    await mustBeFree('0.0.0.0', flags['kubelet-port'], 'kubelet-port').catch(() => {
      throw new CommandError(`kubun still runs on this machine (port ${flags['kubelet-port']} is in use): stop it first`)
    })
    const { uninstallNode } = await import('../../agents/uninstall.ts')
    const removed = await uninstallNode(ctx, {
      dataDir: flags['data-dir'],
      dockerSocket: flags['docker-socket'],
      nodeName: flags['node-name'] ?? defaultNodeName(),
      clusterCidrs: [flags['cluster-cidr']],
    })
    terminal.print(`${removed} containers, the rules and the devices of this node are removed`)
    if (!flags.purge) {
      terminal.print(`the state of the server and the volumes of this node stay in ${flags['data-dir']}; --purge deletes them`)
      return 0
    }
    for (const path of [flags['data-dir'], defaultKubeconfig]) rmSync(path, { recursive: true, force: true })
    terminal.print(`${flags['data-dir']} and ${defaultKubeconfig} are deleted`)
    return 0
  },
})
