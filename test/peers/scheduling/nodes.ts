/** Nodes and namespaces of a drawn cluster: labels, taints, what can be had there, and which images are there already. */
import type { ContainerImage, Namespace, Node, Taint } from '../../../core/api/schema/types.ts'
import type { Drawing } from './cluster.ts'

export const zoneKey = 'topology.kubernetes.io/zone'
export const regionKey = 'topology.kubernetes.io/region'
export const hostKey = 'kubernetes.io/hostname'
export const topologyKeys = [hostKey, zoneKey, regionKey, 'rack'] as const
export const zones = ['za', 'zb', 'zc'] as const

export const namespaces: readonly Namespace[] = [
  ['default', {}],
  ['team-a', { team: 'a', stage: 'live' }],
  ['team-b', { team: 'b', stage: 'live' }],
  ['lab', { stage: 'test' }],
].map(([name, labels]) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: String(name), labels: { 'kubernetes.io/metadata.name': String(name), ...(labels as Record<string, string>) } } }))

export const images: readonly { readonly name: string; readonly bytes: number }[] = [
  { name: 'registry.example.com/web:v1', bytes: 300 * 2 ** 20 },
  { name: 'docker.io/library/db:latest', bytes: 900 * 2 ** 20 },
  { name: 'cache:latest', bytes: 30 * 2 ** 20 },
  { name: 'registry.example.com/model:v7', bytes: 4_000 * 2 ** 20 },
]

export const taintKeys = ['dedicated', 'maintenance', 'level'] as const

export function drawNode(drawing: Drawing, name: string): Node {
  const { draw, about } = drawing
  const zone = draw.one(zones)
  const labels: Record<string, string> = { [hostKey]: name }
  if (draw.chance(0.9)) labels[zoneKey] = zone
  if (draw.chance(0.9)) labels[regionKey] = zone === 'zc' ? 'r2' : 'r1'
  if (draw.chance(0.6)) labels['disk'] = draw.one(['ssd', 'hdd'])
  if (draw.chance(0.6)) labels['generation'] = draw.one(['1', '2', '3', '7', 'old'])
  if (draw.chance(0.7)) labels['rack'] = draw.one(['k1', 'k2', 'k3', 'k4'])
  const unschedulable = draw.chance(about('taints') ? 0.15 : 0.02)
  const taints: Taint[] = unschedulable && draw.chance(0.8) ? [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }] : []
  if (about('taints')) for (let left = draw.int(3); left > 0; left--) taints.push(drawTaint(drawing))
  return {
    apiVersion: 'v1', kind: 'Node', metadata: { name, labels },
    spec: { ...(unschedulable ? { unschedulable } : {}), ...(taints.length > 0 ? { taints } : {}) },
    status: { allocatable: allocatable(drawing), ...(about('images') ? { images: present(drawing) } : {}) },
  }
}

function drawTaint({ draw }: Drawing): Taint {
  const key = draw.one(taintKeys)
  const value = key === 'level' ? String(draw.int(10)) : draw.one(['', 'db', 'web'])
  return { key, ...(value === '' ? {} : { value }), effect: draw.one(['NoSchedule', 'NoSchedule', 'PreferNoSchedule', 'PreferNoSchedule', 'NoExecute']) }
}

function allocatable({ draw, about, crowded }: Drawing): Record<string, string> {
  if (crowded && draw.chance(0.9)) return { cpu: '4', memory: '8Gi', pods: '110', 'ephemeral-storage': '50Gi' }
  return {
    cpu: draw.one(['1', '2', '3500m', '4', '8', '16']),
    memory: draw.one(['2Gi', '4Gi', '7777Mi', '8000000Ki', '16Gi', '32Gi']),
    pods: draw.chance(0.1) ? String(1 + draw.int(3)) : '110',
    ...(draw.chance(0.9) ? { 'ephemeral-storage': draw.one(['10Gi', '50Gi', '100G']) } : {}),
    ...(about('resources') ? { 'example.com/gpu': String(draw.int(5)) } : {}),
    ...(about('resources') && draw.chance(0.3) ? { 'hugepages-2Mi': draw.one(['0', '64Mi', '512Mi']) } : {}),
  }
}

function present({ draw }: Drawing): ContainerImage[] {
  return images.filter(() => draw.chance(0.5)).map(({ name, bytes }) => ({ names: [`${name.split(':')[0]}@sha256:${'0'.repeat(64)}`, name], sizeBytes: bytes }))
}
