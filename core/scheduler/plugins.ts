/**
 * The default profile: every plugin, in the order in which filters are asked and
 * with upstream's weights (k8s.io/kubernetes/pkg/scheduler/apis/config/v1/default_plugins.go).
 * To add one: a file in plugins/, its test, a line here.
 */
import type { Client } from '../client/client.ts'
import type { Profile } from './framework.ts'
import { balancedAllocation } from './plugins/balancedallocation.ts'
import { defaultBinder } from './plugins/defaultbinder.ts'
import { nodeAffinity } from './plugins/nodeaffinity.ts'
import { nodeName } from './plugins/nodename.ts'
import { nodePorts } from './plugins/nodeports.ts'
import { nodeResourcesFit } from './plugins/noderesourcesfit.ts'
import { nodeUnschedulable } from './plugins/nodeunschedulable.ts'
import { prioritySort } from './plugins/prioritysort.ts'
import { schedulingGates } from './plugins/schedulinggates.ts'
import { taintToleration } from './plugins/tainttoleration.ts'

export function defaultProfile(client: Client): Profile {
  return {
    schedulerName: 'default-scheduler',
    plugins: [
      { plugin: schedulingGates, weight: 0 },
      { plugin: prioritySort, weight: 0 },
      { plugin: nodeUnschedulable, weight: 0 },
      { plugin: nodeName, weight: 0 },
      { plugin: taintToleration, weight: 3 },
      { plugin: nodeAffinity, weight: 2 },
      { plugin: nodePorts, weight: 0 },
      { plugin: nodeResourcesFit, weight: 1 },
      { plugin: balancedAllocation, weight: 1 },
      { plugin: defaultBinder(client), weight: 0 },
    ],
  }
}
