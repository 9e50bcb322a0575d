/** The kind Node of core/v1: its names and its rules. */
import { ageColumn, nameColumn, text, wide } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import { nodeStatus, nodeStrategy } from './noderules.ts'
import type { Node } from '../schema/types.ts'

export const nodes: Kind<Node> = defineKind<Node>({
  group: '',
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  singular: 'node',
  namespaced: false,
  shortNames: ['no'],
  status: nodeStatus,
  subresources: ['proxy'],
  strategy: nodeStrategy,
  columns: [
    nameColumn,
    text('Status', (o) => statusOf(o)),
    text('Roles', (o) => rolesOf(o)),
    ageColumn,
    text('Version', (o) => o.status?.nodeInfo?.kubeletVersion ?? ''),
    wide('Internal-IP', (o) => addressOf(o, 'InternalIP')),
    wide('External-IP', (o) => addressOf(o, 'ExternalIP')),
    wide('OS-Image', (o) => o.status?.nodeInfo?.osImage || '<unknown>'),
    wide('Kernel-Version', (o) => `${o.status?.nodeInfo?.kernelVersion || '<unknown>'}${o.status?.nodeInfo?.architecture ? ` (${o.status.nodeInfo.architecture})` : ''}`),
    wide('Container-Runtime', (o) => o.status?.nodeInfo?.containerRuntimeVersion || '<unknown>'),
  ],
  selectableFields: {
    'spec.unschedulable': (o) => String(o.spec?.unschedulable ?? false),
  },
})

function statusOf(node: Readonly<Node>): string {
  const ready = node.status?.conditions?.find((c) => c.type === 'Ready')
  const word = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady'
  return node.spec?.unschedulable === true ? `${word},SchedulingDisabled` : word
}

const rolePrefix = 'node-role.kubernetes.io/'

function rolesOf(node: Readonly<Node>): string {
  const roles = Object.entries(node.metadata.labels ?? {}).map(([key, value]) =>
    key.startsWith(rolePrefix) ? key.slice(rolePrefix.length) : key === 'kubernetes.io/role' ? value : '',
  )
  const named = [...new Set(roles.filter((role) => role !== ''))].sort()
  return named.length === 0 ? '<none>' : named.join(',')
}

function addressOf(node: Readonly<Node>, type: string): string {
  return node.status?.addresses?.find((a) => a.type === type)?.address ?? '<none>'
}
