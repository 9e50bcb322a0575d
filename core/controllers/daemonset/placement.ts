/**
 * Where a DaemonSet's pods belong: on which nodes, and how a pod is made that the scheduler binds to one of them. Pure
 * (upstream's NodeShouldRunDaemonPod and daemon/util/daemonset_util.go).
 */
import { nodeMatchesPod } from '../../api/core/nodeaffinity.ts'
import { taintKeys, untolerated } from '../../api/core/taints.ts'
import type { Affinity, DaemonSet, Node, NodeSelector, Pod, PodSpec, PodTemplateSpec, Toleration } from '../../api/schema/types.ts'
import { cloneJson } from '../../lib/json.ts'
import { revisionLabel } from '../history.ts'

const generationLabel = 'pod-template-generation'
const generationAnnotation = 'deprecated.daemonset.template.generation'
const nameField = 'metadata.name'

export interface Place {
  /** A pod is made there. */
  readonly run: boolean
  /** A pod that is there stays. */
  readonly stay: boolean
}

/** Tells of any node whether the set's pods belong there. */
export function placementOf(set: Readonly<DaemonSet>): (node: Readonly<Node>) => Place {
  const template = withTolerations(set.spec?.template)
  const { nodeName = '', tolerations } = template.spec ?? {}
  const pod: Pod = { metadata: {}, ...(template.spec === undefined ? {} : { spec: template.spec }) }
  return (node) => {
    if ((nodeName !== '' && nodeName !== node.metadata.name) || !nodeMatchesPod(pod, node)) return { run: false, stay: false }
    const taints = node.spec?.taints
    if (untolerated(taints, tolerations, ['NoExecute', 'NoSchedule']) === undefined) return { run: true, stay: true }
    return { run: false, stay: untolerated(taints, tolerations, ['NoExecute']) === undefined }
  }
}

/** What a pod that belongs to its node endures: troubles of the node, and that nothing else is scheduled there. */
function tolerationsFor(spec: Readonly<PodSpec>): readonly Toleration[] {
  const exists = (key: string, effect: string): Toleration => ({ key, operator: 'Exists', effect })
  return [
    exists(taintKeys.notReady, 'NoExecute'),
    exists(taintKeys.unreachable, 'NoExecute'),
    exists(taintKeys.diskPressure, 'NoSchedule'),
    exists(taintKeys.memoryPressure, 'NoSchedule'),
    exists(taintKeys.pidPressure, 'NoSchedule'),
    exists(taintKeys.unschedulable, 'NoSchedule'),
    ...(spec.hostNetwork === true ? [exists(taintKeys.networkUnavailable, 'NoSchedule')] : []),
  ]
}

function sameToleration(a: Readonly<Toleration>, b: Readonly<Toleration>): boolean {
  return a.key === b.key && (a.effect ?? '') === (b.effect ?? '') && (a.operator ?? '') === (b.operator ?? '') && (a.value ?? '') === (b.value ?? '')
}

function withTolerations(template: Readonly<PodTemplateSpec> | undefined): PodTemplateSpec {
  const mine = cloneJson(template ?? {}) as PodTemplateSpec
  const spec = mine.spec ?? { containers: [] }
  const tolerations = [...(spec.tolerations ?? [])]
  for (const toleration of tolerationsFor(spec)) {
    const at = tolerations.findIndex((have) => sameToleration(have, toleration))
    if (at < 0) tolerations.push(toleration)
    else tolerations[at] = toleration
  }
  return { ...mine, spec: { ...spec, tolerations } }
}

/** The template of the set's pods for any node: `hash` is of the revision that it is of. */
export function podTemplate(set: Readonly<DaemonSet>, hash: string): PodTemplateSpec {
  const mine = withTolerations(set.spec?.template)
  const generation = generationOf(set)
  const labels = { ...mine.metadata?.labels, ...(generation === undefined ? {} : { [generationLabel]: generation }), [revisionLabel]: hash }
  return { ...mine, metadata: { ...mine.metadata, labels } }
}

function generationOf(set: Readonly<DaemonSet>): string | undefined {
  const text = set.metadata.annotations?.[generationAnnotation] ?? ''
  return /^[-+]?\d+$/.test(text) ? String(Number(text)) : undefined
}

/** By the hash of its revision; pods of old times say only which change of the template they are of. */
export function isUpdated(set: Readonly<DaemonSet>, hash: string, pod: Readonly<Pod>): boolean {
  const labels = pod.metadata.labels ?? {}
  const generation = generationOf(set)
  return (hash !== '' && labels[revisionLabel] === hash) || (generation !== undefined && labels[generationLabel] === generation)
}

/** The same template for one node: the scheduler finds no other. */
export function pinned(template: Readonly<PodTemplateSpec>, node: string): PodTemplateSpec {
  const mine = cloneJson(template) as PodTemplateSpec
  const { affinity = {}, ...spec } = mine.spec ?? { containers: [] }
  return { ...mine, spec: { ...spec, affinity: pinnedAffinity(affinity, node) } }
}

function pinnedAffinity(affinity: Affinity, node: string): Affinity {
  const required: NodeSelector = { nodeSelectorTerms: [{ matchFields: [{ key: nameField, operator: 'In', values: [node] }] }] }
  return { ...affinity, nodeAffinity: { ...affinity.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: required } }
}

/** The node that a pod is on, or that it is pinned to; undefined for one that is neither. */
export function nodeOf({ spec }: Readonly<Pod>): string | undefined {
  if ((spec?.nodeName ?? '') !== '') return spec?.nodeName
  const terms = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  const field = terms.flatMap((term) => term.matchFields ?? []).find(({ key, operator }) => key === nameField && operator === 'In')
  return field?.values?.length === 1 ? field.values[0] : undefined
}
