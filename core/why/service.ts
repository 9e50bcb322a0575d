/** Why a Service leads nowhere: it selects no pod, its pods are not ready, or its port has no name that they know; and why it has no address. */
import { daemonSets } from '../api/apps/daemonset.ts'
import { deployments } from '../api/apps/deployment.ts'
import { statefulSets } from '../api/apps/statefulset.ts'
import { pods } from '../api/core/pod.ts'
import { endpointSlices } from '../api/discovery/endpointslice.ts'
import { isPodActive, isPodReady } from '../api/core/podstate.ts'
import type { KindRef } from '../api/kind.ts'
import { isBeingDeleted } from '../api/meta.ts'
import type { Deployment, ObjectMeta, Pod, Service } from '../api/schema/types.ts'
import { crowdFindings, crowdOf } from './crowd.ts'
import { count, few, section, type Finding, type Subject } from './finding.ts'
import type { Reader } from './reader.ts'

const serviceLabel = 'kubernetes.io/service-name'

export async function whyService(reader: Reader, about: Subject, service: Readonly<Service>): Promise<readonly Finding[]> {
  const one = (because: string, sections: Finding['sections'] = []): readonly Finding[] => [{ because, about, sections }]
  const { spec } = service
  if (spec?.type === 'ExternalName') return []
  const selector = spec?.selector ?? {}
  const [found, listed] = await Promise.all([reader.list(endpointSlices, about.namespace), reader.list(pods, about.namespace)])
  if (found === undefined || listed === undefined) return one('cannot be looked into: you may not read the pods and endpoints of its namespace')
  const slices = found.filter(({ metadata }) => metadata.labels?.[serviceLabel] === about.name)
  const serving = slices.flatMap(({ endpoints = [] }) => endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false)
  if (Object.keys(selector).length === 0) {
    if (serving.length > 0) return []
    return one('leads nowhere: it has no selector, and nobody has given it endpoints', [])
  }
  const all = listed.filter((pod) => !isBeingDeleted(pod))
  const selected = all.filter((pod) => isPodActive(pod) && matches(selector, pod))
  const text = Object.entries(selector).map(([key, value]) => `${key}=${value}`).join(',')
  if (selected.length === 0) {
    const maker = await makerOf(reader, about.namespace, selector)
    if (maker !== undefined) return one(`leads nowhere: there is no pod with ${text} now; ${maker}`)
    return one(`leads nowhere: its selector ${text} matches none of ${count(all.length, 'pod')} in namespace ${about.namespace}`, section('what would match more', nearMisses(selector, all)))
  }
  if (!selected.some(isPodReady) && spec?.publishNotReadyAddresses !== true) {
    const lead = `leads nowhere: none of its ${count(selected.length, 'pod')} is ready`
    const causes = crowdFindings(about, lead, await crowdOf(reader, selected))
    return causes.length > 0 ? causes : one(lead)
  }
  const unknown = (spec?.ports ?? []).filter(({ targetPort }) => typeof targetPort === 'string' && !selected.some((pod) => portNames(pod).includes(targetPort)))
  if (unknown.length > 0) {
    const names = [...new Set(selected.flatMap(portNames))]
    return one(`leads nowhere on port ${few(unknown.map(({ port }) => String(port)))}: no container of its pods has a port named ${few(unknown.map(({ targetPort }) => String(targetPort)))}${names.length === 0 ? '' : ` (they have ${few(names, 8)})`}`)
  }
  if (spec?.type === 'LoadBalancer' && (service.status?.loadBalancer?.ingress ?? []).length === 0) return one('has no address from outside: no controller of load balancers has given it one; inside it works')
  if (serving.length === 0) return one('has ready pods, and no endpoints have been made of them yet: the endpoints controller has not acted, or does not run')
  return []
}

function matches(selector: Readonly<Record<string, string>>, { metadata }: { readonly metadata?: Readonly<ObjectMeta> }): boolean {
  return Object.entries(selector).every(([key, value]) => metadata?.labels?.[key] === value)
}

/** The workload whose pods it means, if there were any. */
async function makerOf(reader: Reader, namespace: string, selector: Readonly<Record<string, string>>): Promise<string | undefined> {
  for (const kind of [deployments, statefulSets, daemonSets]) {
    const makers = ((await reader.list(kind as KindRef<Deployment>, namespace)) ?? []).filter(({ spec }) => matches(selector, spec?.template ?? {}))
    const [maker] = makers
    if (maker === undefined) continue
    const name = `${kind.kind.toLowerCase()}/${maker.metadata.name}`
    return kind !== daemonSets && makers.every(({ spec }) => spec?.replicas === 0) ? `${name}, which makes such pods, is scaled to 0` : `${name} makes such pods, and has none (see kubun why ${name})`
  }
  return undefined
}

function portNames(pod: Readonly<Pod>): readonly string[] {
  return [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].flatMap(({ ports = [] }) => ports.map(({ name = '' }) => name)).filter((name) => name !== '')
}

/** Pods that one label keeps from being selected: mostly it is misspelt. */
function nearMisses(selector: Readonly<Record<string, string>>, all: readonly Readonly<Pod>[]): readonly string[] {
  const wanted = Object.entries(selector)
  const near = new Map<string, string[]>()
  for (const { metadata } of all) {
    const wrong = wanted.filter(([key, value]) => metadata.labels?.[key] !== value).map(([key]) => key)
    const [key, ...more] = wrong
    const has = key === undefined || more.length > 0 ? undefined : metadata.labels?.[key]
    if (key === undefined || has === undefined) continue
    const pods = near.get(key) ?? []
    near.set(key, pods)
    pods.push(`pod ${metadata.name} has ${has}`)
  }
  return wanted.flatMap(([key, value]) => {
    const pods = near.get(key)
    return pods === undefined ? [] : [`${key}: the selector says ${value}, ${few(pods)}`]
  })
}

export function serviceState(service: Readonly<Service>): string {
  return service.spec?.type === 'ExternalName' ? `is another name for ${service.spec.externalName}` : 'has ready endpoints'
}
