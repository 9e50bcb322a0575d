/** The kind Pod of core/v1: its names and its rules. */
import { defineKind, type Kind } from '../kind.ts'
import { podColumns } from './podcolumns.ts'
import { podParts, podStatusRules, podStrategy } from './podstrategy.ts'
import type { Pod } from '../schema/types.ts'

export const pods: Kind<Pod> = defineKind<Pod>({
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  singular: 'pod',
  namespaced: true,
  shortNames: ['po'],
  categories: ['all'],
  strategy: podStrategy,
  status: podStatusRules,
  parts: podParts,
  subresources: ['attach', 'binding', 'ephemeralcontainers', 'eviction', 'exec', 'log', 'portforward', 'proxy', 'resize'],
  generation: 'spec',
  columns: podColumns,
  selectableFields: {
    'spec.nodeName': (o) => o.spec?.nodeName ?? '',
    'spec.restartPolicy': (o) => o.spec?.restartPolicy ?? '',
    'spec.schedulerName': (o) => o.spec?.schedulerName ?? '',
    'spec.serviceAccountName': (o) => o.spec?.serviceAccountName ?? '',
    'spec.hostNetwork': (o) => String(o.spec?.hostNetwork ?? false),
    'status.phase': (o) => o.status?.phase ?? '',
    'status.podIP': (o) => o.status?.podIPs?.[0]?.ip ?? o.status?.podIP ?? '',
    'status.podIPs': (o) => (o.status?.podIPs ?? []).map((a) => a.ip).join(','),
    'status.nominatedNodeName': (o) => o.status?.nominatedNodeName ?? '',
  },
  graceS: podGraceS,
})

/**
 * Grace of a pod's deletion: what was asked, else its own; none for a pod that never ran on a node or has ended
 * (k8s.io/kubernetes/pkg/registry/core/pod/strategy.go).
 */
function podGraceS(pod: Readonly<Pod>, asked: number | undefined): number {
  const graceS = asked ?? pod.spec?.terminationGracePeriodSeconds ?? 30
  const ended = pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded'
  if ((pod.spec?.nodeName ?? '') === '' || ended) return 0
  return graceS < 0 ? 1 : graceS
}
