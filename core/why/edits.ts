/** Changes of a pod or of a node that take an obstacle away, one each. Whether they suffice is asked by remedies.ts. */
import { taintKeys } from '../api/core/taints.ts'
import type { Container, Node, Pod, PodSpec, Toleration } from '../api/schema/types.ts'
import type { NodeInfo } from '../scheduler/world.ts'
import { claimOf } from '../scheduler/claim.ts'
import { quantityMilli } from '../api/quantity.ts'
import { amountText, quantityText } from './amounts.ts'
import { listed } from './finding.ts'
import { affinityText, selectorText, shortages, standingTaints, taintText } from './obstacles.ts'

export interface Edit {
  /** An imperative: "tolerate the taint x". */
  readonly says: string
  /** Of two that do, the smaller is preferred. */
  readonly cost: number
  readonly pod?: (pod: Readonly<Pod>) => Pod
  readonly node?: (node: Readonly<Node>) => Node
}

const withSpec = (pod: Readonly<Pod>, change: Partial<PodSpec>): Pod => ({ ...pod, spec: { containers: [], ...pod.spec, ...change } })

/** What would satisfy this plugin on this node, the smallest first; nothing where no change of pod or node would. */
export function editsFor(plugin: string, pod: Readonly<Pod>, node: NodeInfo): readonly Edit[] {
  switch (plugin) {
    case 'NodeResourcesFit':
      return lessOf(pod, node)
    case 'TaintToleration':
      return tolerations(pod, node.node)
    case 'NodeUnschedulable':
      return [{ says: `uncordon node ${node.name}`, cost: 1, node: uncordoned }]
    case 'NodeAffinity':
      return labelsOrNone(pod, node)
    case 'NodePorts':
      return [{ says: `ask for no host port ${listed(claimOf(pod).ports.map(({ hostPort }) => String(hostPort)))}`, cost: 2, pod: withoutPorts }]
    case 'PodTopologySpread':
      return (pod.spec?.topologySpreadConstraints ?? []).flatMap((constraint, at): Edit[] => {
        if (constraint.whenUnsatisfiable !== 'DoNotSchedule') return []
        const others = pod.spec?.topologySpreadConstraints?.filter((_, i) => i !== at) ?? []
        return [{ says: `do without the spread over ${constraint.topologyKey} (or let it be ScheduleAnyway)`, cost: 2, pod: (mine) => withSpec(mine, { topologySpreadConstraints: others }) }]
      })
    case 'InterPodAffinity':
      return affinities(pod)
    default:
      return []
  }
}

function lessOf(pod: Readonly<Pod>, node: NodeInfo): readonly Edit[] {
  const short = shortages(pod, node)
  const claim = claimOf(pod)
  const asked = (resource: string): number => (resource === 'cpu' ? claim.cpuMilli : resource === 'memory' ? claim.memoryBytes : (claim.others[resource] ?? 0))
  // A place is nothing that a pod can ask less of; what it would not get any of, it does not want.
  if (short.length === 0 || short.some(({ resource, amount }) => resource === 'pods' || amount >= asked(resource))) return []
  const says = `ask for ${listed(short.map(({ resource, amount }) => `${amountText(resource, amount)} less (${quantityText(resource, asked(resource) - amount)} instead of ${quantityText(resource, asked(resource))})`))}`
  const cost = short.reduce((sum, { resource, amount }) => sum + amount / asked(resource), 0)
  return [{ says, cost, pod: (mine) => short.reduce((next, { resource, amount }) => reduced(next, resource, amount), mine as Pod) }]
}

/** Taken from the whole pod where it says what it asks for as a whole, else from the container that asks for most. */
function reduced(pod: Readonly<Pod>, resource: string, amount: number): Pod {
  const own = pod.spec?.resources?.requests?.[resource]
  if (own !== undefined) return withSpec(pod, { resources: { ...pod.spec?.resources, requests: { ...pod.spec?.resources?.requests, [resource]: lower(own, resource, amount) } } })
  const asks = (container: Readonly<Container>): number => quantityMilli(container.resources?.requests?.[resource] ?? '0')
  const containers = pod.spec?.containers ?? []
  const most = containers.reduce<Container | undefined>((best, next) => (best === undefined || asks(next) > asks(best) ? next : best), undefined)
  return withSpec(pod, {
    containers: containers.map((container) => (container !== most ? container : { ...container, resources: { ...container.resources, requests: { ...container.resources?.requests, [resource]: lower(container.resources?.requests?.[resource] ?? '0', resource, amount) } } })),
  })
}

function lower(quantity: string, resource: string, amount: number): string {
  const milli = quantityMilli(quantity) - (resource === 'cpu' ? amount : amount * 1_000)
  return milli % 1_000 === 0 ? String(milli / 1_000) : `${milli}m`
}

/** Taints that the node controllers set say that something is wrong: they are not to be tolerated but mended. */
const conditions = new Set<string>([taintKeys.notReady, taintKeys.unreachable, taintKeys.memoryPressure, taintKeys.diskPressure, taintKeys.pidPressure, taintKeys.networkUnavailable, taintKeys.outOfService])

function tolerations(pod: Readonly<Pod>, node: Readonly<Node>): readonly Edit[] {
  const standing = standingTaints(pod, node).filter(({ key }) => key !== taintKeys.unschedulable)
  const taints = standing.filter(({ key }) => !conditions.has(key))
  const mend: Edit = { says: `mend node ${node.metadata.name} (see kubun why node/${node.metadata.name})`, cost: 3, node: mended }
  if (standing.length === 0) return [{ says: `uncordon node ${node.metadata.name}`, cost: 1, node: uncordoned }]
  if (taints.length === 0) return [mend]
  const more = taints.map(({ key, value = '', effect }): Toleration => ({ key, operator: value === '' ? 'Exists' : 'Equal', ...(value === '' ? {} : { value }), effect }))
  const tolerate: Edit = { says: `tolerate the taint${taints.length === 1 ? '' : 's'} ${listed(taints.map(taintText))}`, cost: taints.length, pod: (mine) => withSpec(mine, { tolerations: [...(mine.spec?.tolerations ?? []), ...more] }) }
  return taints.length === standing.length ? [tolerate] : [{ ...mend, ...tolerate, says: `${mend.says} and ${tolerate.says}`, cost: mend.cost + tolerate.cost }]
}

function mended(node: Readonly<Node>): Node {
  return { ...node, spec: { ...node.spec, taints: (node.spec?.taints ?? []).filter(({ key }) => !conditions.has(key)) } }
}

function uncordoned(node: Readonly<Node>): Node {
  const { unschedulable: _, ...spec } = node.spec ?? {}
  return { ...node, spec: { ...spec, taints: (spec.taints ?? []).filter(({ key }) => key !== taintKeys.unschedulable) } }
}

function labelsOrNone(pod: Readonly<Pod>, { name, node }: NodeInfo): readonly Edit[] {
  const labels = node.metadata.labels ?? {}
  const wanted = Object.fromEntries(Object.entries({ ...affinityLabels(pod, labels), ...pod.spec?.nodeSelector }).filter(([key, value]) => labels[key] !== value))
  const text = Object.entries(wanted).map(([key, value]) => `${key}=${value}`)
  const edits: Edit[] = []
  // The name of a machine is not what one changes to place a pod.
  if (text.length > 0 && wanted['kubernetes.io/hostname'] === undefined) {
    edits.push({ says: `label node ${name} with ${listed(text)}`, cost: text.length, node: (mine) => ({ ...mine, metadata: { ...mine.metadata, labels: { ...mine.metadata.labels, ...wanted } } }) })
  }
  if (pod.spec?.nodeSelector !== undefined) edits.push({ says: `do without the node selector ${Object.entries(pod.spec.nodeSelector).map(([key, value]) => `${key}=${value}`).join(',')}`, cost: 2, pod: (mine) => withSpec(mine, { nodeSelector: {} }) })
  if (affinityText(pod) !== '') edits.push({ says: `do without the required node affinity (${affinityText(pod)})`, cost: 2, pod: withoutNodeAffinity })
  return edits
}

/** Labels with which the first term would match that labels alone can meet. */
function affinityLabels(pod: Readonly<Pod>, labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const { matchExpressions = [], matchFields = [] } of pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []) {
    if (matchFields.length > 0) continue
    const open = matchExpressions.filter(({ key, operator, values = [] }) => !(operator === 'In' && values.includes(labels[key] ?? '')) && !(operator === 'Exists' && labels[key] !== undefined))
    if (open.every(({ operator, values = [] }) => (operator === 'In' && values.length > 0) || operator === 'Exists')) return Object.fromEntries(open.map(({ key, values = [] }) => [key, values[0] ?? '']))
  }
  return {}
}

function withoutNodeAffinity(pod: Readonly<Pod>): Pod {
  const { nodeAffinity: _, ...affinity } = pod.spec?.affinity ?? {}
  return withSpec(pod, { affinity })
}

function withoutPorts(pod: Readonly<Pod>): Pod {
  return withSpec(pod, { containers: (pod.spec?.containers ?? []).map((container) => ({ ...container, ports: (container.ports ?? []).map(({ hostPort: _host, ...port }) => port) })) })
}

/** Each required term alone, then both sides together. */
function affinities(pod: Readonly<Pod>): readonly Edit[] {
  return (['podAffinity', 'podAntiAffinity'] as const).flatMap((side) => {
    const rules = pod.spec?.affinity?.[side]
    const terms = rules?.requiredDuringSchedulingIgnoredDuringExecution ?? []
    const what = side === 'podAffinity' ? 'affinity to' : 'anti-affinity against'
    return terms.map((term, at): Edit => ({
      says: `do without the required ${what} ${selectorText(term.labelSelector)} per ${term.topologyKey} (or let it be preferred)`,
      cost: 2,
      pod: (mine) => withSpec(mine, { affinity: { ...mine.spec?.affinity, [side]: { ...rules, requiredDuringSchedulingIgnoredDuringExecution: terms.filter((_, i) => i !== at) } } }),
    }))
  })
}
