/** Pods of a drawn cluster: those that stand on nodes, and those that wait. What they demand is demands.ts and terms.ts. */
import type { Container, Pod, PodSpec, PodStatus } from '../../../core/api/schema/types.ts'
import type { Drawing } from './cluster.ts'
import { containers, overhead, podLevel } from './demands.ts'
import { namespaces } from './nodes.ts'
import { appLabels, drawAffinity, nodeSelector, spreadConstraints, tolerations } from './terms.ts'
import { drawVolumes, type Volumes } from './volumes.ts'

export const priorities = [-10, 0, 10, 100, 1_000] as const

function labels({ draw }: Drawing): Record<string, string> {
  const drawn: Record<string, string> = {}
  for (const [key, values] of Object.entries(appLabels)) if (draw.chance(0.75)) drawn[key] = draw.one(values)
  return drawn
}

/** Most pods of a cluster stand in one namespace, so that they meet; so do claims. */
function namespaceOf({ draw }: Drawing, volumes: Volumes | undefined): string {
  return draw.chance(volumes === undefined ? 0.6 : 0.97) ? 'default' : (draw.one(namespaces).metadata.name ?? '')
}

const created = '2026-01-01T00:00:00Z'

function metadata(drawing: Drawing, name: string, volumes: Volumes | undefined): Pod['metadata'] {
  const { draw } = drawing
  const isOwned = drawing.about('defaultSpread') && draw.chance(0.7)
  const owner = { apiVersion: 'apps/v1', kind: draw.one(['ReplicaSet', 'ReplicaSet', 'StatefulSet']), name: draw.one(appLabels.app), uid: 'owner', controller: true }
  return { name, namespace: isOwned ? 'default' : namespaceOf(drawing, volumes), uid: `uid-${name}`, creationTimestamp: created, labels: labels(drawing), ...(isOwned ? { ownerReferences: [owner] } : {}) }
}

function spec(drawing: Drawing, volumes: Volumes | undefined, from: { readonly pending: boolean }): PodSpec {
  const { draw, about } = drawing
  const made: PodSpec = {
    schedulerName: 'default-scheduler', restartPolicy: 'Always', ...containers(drawing, from),
    ...(draw.chance(about('preemption') ? 0.9 : 0.2) ? { priority: priorityOf(drawing, from) } : {}),
    ...(draw.chance(0.08) ? { overhead: overhead(drawing) } : {}),
    ...(about('resources') && draw.chance(0.25) ? { resources: podLevel(drawing) } : {}),
    ...(about('podAffinity') || (from.pending && about('nodeAffinity')) ? { affinity: drawAffinity(drawing, from) } : {}),
    ...(volumes !== undefined && draw.chance(from.pending ? 0.85 : 0.4) ? { volumes: drawVolumes(drawing, volumes) } : {}),
  }
  return made
}

function priorityOf({ draw }: Drawing, { pending }: { readonly pending: boolean }): number {
  return pending && draw.chance(0.6) ? 1_000 : draw.one(priorities)
}

export function placedPod(drawing: Drawing, name: string, volumes: Volumes | undefined): Pod {
  const { draw, about } = drawing
  const made = spec(drawing, volumes, { pending: false })
  const isLeaving = draw.chance(about('preemption') ? 0.15 : 0.04)
  const status: PodStatus = { phase: draw.chance(0.95) ? 'Running' : draw.one(['Pending', 'Succeeded', 'Failed']), startTime: startOf(drawing, name) }
  if (isLeaving && draw.chance(0.5)) status.conditions = [{ type: 'DisruptionTarget', status: 'True', reason: draw.one(['PreemptionByScheduler', 'EvictionByEvictionAPI']) }]
  if (about('resources') && draw.chance(0.2)) status.containerStatuses = [resized(made.containers[0])]
  return {
    apiVersion: 'v1', kind: 'Pod',
    metadata: { ...metadata(drawing, name, volumes), ...(isLeaving ? { deletionTimestamp: '2026-01-03T00:00:00Z', deletionGracePeriodSeconds: 30 } : {}) },
    spec: { ...made, nodeName: draw.one(drawing.nodes) },
    status,
  }
}

/** No two of a cluster started at once: who goes first of equals is left to chance upstream. */
function startOf({ draw }: Drawing, name: string): string {
  return `2026-01-02T0${draw.int(4)}:00:${(Number(name.slice(1)) % 60).toString().padStart(2, '0')}Z`
}

/** A container whose node has not yet made it smaller. */
function resized(container: Container | undefined): NonNullable<PodStatus['containerStatuses']>[number] {
  const requests = { cpu: '700m', memory: '700Mi' }
  return { name: container?.name ?? '', image: container?.image ?? '', imageID: '', ready: true, restartCount: 0, resources: { requests }, allocatedResources: requests }
}

export function pendingPod(drawing: Drawing, name: string, volumes: Volumes | undefined): Pod {
  const { draw, about } = drawing
  const meta = metadata(drawing, name, volumes)
  const nominated = about('nominated') && draw.chance(0.6) ? { nominatedNodeName: draw.one(drawing.nodes) } : {}
  return {
    apiVersion: 'v1', kind: 'Pod', metadata: meta,
    spec: {
      ...spec(drawing, volumes, { pending: true }),
      ...(about('nodeAffinity') && draw.chance(0.5) ? { nodeSelector: nodeSelector(drawing) } : {}),
      ...(about('taints') ? { tolerations: tolerations(drawing) } : {}),
      ...(about('spread') ? { topologySpreadConstraints: spreadConstraints(drawing) } : {}),
      ...(about('preemption') && draw.chance(0.15) ? { preemptionPolicy: draw.one(['Never', 'PreemptLowerPriority']) } : {}),
      ...(about('gates') && draw.chance(0.3) ? { schedulingGates: ['example.com/quota', 'example.com/later'].slice(0, 1 + draw.int(2)).map((gate) => ({ name: gate })) } : {}),
    },
    status: { phase: 'Pending', ...nominated },
  }
}
