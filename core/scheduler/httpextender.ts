/**
 * An extender over HTTP: upstream's wire (k8s.io/kube-scheduler/extender/v1, pkg/scheduler/extender.go). Names of fields
 * are Go's, and are read in any case, as Go reads them. Where it is and how it is trusted is its target's.
 */
import type { Container, Node, Pod } from '../api/schema/types.ts'
import type { Remote, RemoteTarget } from '../client/remote.ts'
import type { Ctx } from '../lib/ctx.ts'
import type { ExtenderConfiguration } from './configuration/configuration.ts'
import type { Extender } from './extender.ts'
import { type Refusal, scoreMax } from './framework.ts'
import type { Candidate } from './preemption.ts'
import type { NodeInfo } from './world.ts'

/** What an extender gives at most. */
const pointsMax = 10

type Json = Readonly<Record<string, unknown>>
type Ask = (ctx: Ctx, verb: string, body: object) => Promise<unknown>

export function httpExtender(config: ExtenderConfiguration, target: RemoteTarget, remote: Pick<Remote, 'send'>): Extender {
  const { urlPrefix, filterVerb, prioritizeVerb, preemptVerb, bindVerb, ignorable } = config
  const managed = new Set(config.managedResources.map(({ name }) => name))
  const ask: Ask = async (ctx, verb, body) => {
    const request = { method: 'POST', path: verb, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body), timeoutMs: config.httpTimeout }
    const answer = await remote.send(ctx, target, request)
    if (answer.status !== 200) throw new Error(`failed ${verb} with extender at URL ${urlPrefix.replace(/\/+$/, '')}/${verb}, code ${answer.status}`)
    return JSON.parse(new TextDecoder().decode(answer.body))
  }
  return {
    name: urlPrefix,
    ignorable,
    isInterested: (pod) => managed.size === 0 || asksFor(pod, managed),
    ...(filterVerb === '' ? {} : { filter: async (ctx, pod, nodes) => filtered(await ask(ctx, filterVerb, about(pod, nodes, config)), nodes, config) }),
    ...(prioritizeVerb === '' ? {} : { prioritize: async (ctx, pod, nodes) => prioritized(await ask(ctx, prioritizeVerb, about(pod, nodes, config)), config.weight) }),
    ...(preemptVerb === '' ? {} : { preempt: async (ctx, pod, candidates) => preempted(await ask(ctx, preemptVerb, eviction(pod, candidates, config)), candidates, config) }),
    ...(bindVerb === '' ? {} : { bind: async (ctx, pod, nodeName) => refuseError(await ask(ctx, bindVerb, binding(pod, nodeName))) }),
  }
}

function asksFor({ spec }: Readonly<Pod>, managed: ReadonlySet<string>): boolean {
  const names = ({ resources }: Readonly<Container>): readonly string[] => [...Object.keys(resources?.requests ?? {}), ...Object.keys(resources?.limits ?? {})]
  return [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].flatMap(names).some((name) => managed.has(name))
}

// What is asked

/** Go's objects do not say in JSON what they are. */
function bare<T extends Node | Pod>(object: Readonly<T>): object {
  const { kind: _kind, apiVersion: _apiVersion, ...rest } = object
  return rest
}

function about(pod: Readonly<Pod>, nodes: readonly NodeInfo[], { nodeCacheCapable }: ExtenderConfiguration): object {
  return {
    Pod: bare(pod),
    Nodes: nodeCacheCapable ? null : { metadata: {}, items: nodes.map(({ node }) => bare(node)) },
    NodeNames: nodeCacheCapable ? nodes.map(({ name }) => name) : null,
  }
}

function eviction(pod: Readonly<Pod>, candidates: readonly Candidate[], { nodeCacheCapable }: ExtenderConfiguration): object {
  const byNode = (shown: (victim: Readonly<Pod>) => object): object =>
    Object.fromEntries(candidates.map(({ node, victims, violations }) => [node.name, { Pods: victims.map(shown), NumPDBViolations: violations }]))
  return {
    Pod: bare(pod),
    NodeNameToVictims: nodeCacheCapable ? null : byNode(bare),
    NodeNameToMetaVictims: nodeCacheCapable ? byNode(({ metadata }) => ({ UID: metadata.uid ?? '' })) : null,
  }
}

function binding({ metadata }: Readonly<Pod>, nodeName: string): object {
  return { PodName: metadata.name ?? '', PodNamespace: metadata.namespace ?? '', PodUID: metadata.uid ?? '', Node: nodeName }
}

// What is answered

function filtered(answer: unknown, nodes: readonly NodeInfo[], { nodeCacheCapable, urlPrefix }: ExtenderConfiguration): Awaited<ReturnType<NonNullable<Extender['filter']>>> {
  refuseError(answer)
  const byName = new Map(nodes.map((node) => [node.name, node]))
  const names = nodeCacheCapable ? fieldOf(answer, 'NodeNames') : undefined
  const taken = names !== undefined ? listOf(names).map(String) : listOf(fieldOf(fieldOf(answer, 'Nodes'), 'items')).map((node) => String(fieldOf(fieldOf(node, 'metadata'), 'name')))
  const refusals = new Map<NodeInfo, Refusal>()
  for (const [field, unresolvable] of [['FailedNodes', false], ['FailedAndUnresolvableNodes', true]] as const) {
    for (const [name, reason] of Object.entries(recordOf(fieldOf(answer, field)))) {
      const node = byName.get(name)
      if (node !== undefined) refusals.set(node, { reasons: [String(reason)], unresolvable })
    }
  }
  const kept = taken.map((name) => {
    const node = byName.get(name)
    if (node === undefined) throw new Error(`extender ${JSON.stringify(urlPrefix)} claims a filtered node ${JSON.stringify(name)} which is not found in the input node list`)
    return node
  })
  return { nodes: kept, refusals }
}

function prioritized(answer: unknown, weight: number): ReadonlyMap<string, number> {
  return new Map(listOf(answer).map((one) => {
    return [String(fieldOf(one, 'Host') ?? ''), wholeOf(one, 'Score') * weight * (scoreMax / pointsMax)]
  }))
}

/** It answers with uids, whatever it was asked with. */
function preempted(answer: unknown, candidates: readonly Candidate[], { urlPrefix, ignorable }: ExtenderConfiguration): readonly Candidate[] {
  return Object.entries(recordOf(fieldOf(answer, 'NodeNameToMetaVictims'))).flatMap(([name, meta]) => {
    const node = candidates.find((candidate) => candidate.node.name === name)?.node
    if (node === undefined) throw new Error(`nodeinfo not found for node name ${JSON.stringify(name)}`)
    const victims = listOf(fieldOf(meta, 'Pods')).map((one) => {
      const uid = fieldOf(one, 'UID')
      const victim = [...node.pods.values()].find(({ metadata }) => metadata.uid === uid)
      if (victim === undefined) throw new Error(`extender: ${urlPrefix} claims to preempt pod (UID: ${String(uid)}) on node: ${name}, but the pod is not found on that node`)
      return victim
    })
    if (victims.length > 0) return [{ node, victims, violations: wholeOf(meta, 'NumPDBViolations') }]
    if (!ignorable) throw new Error(`expected at least one victim pod on node ${JSON.stringify(name)}`)
    return []
  })
}

/** An error that stands in a pod's condition. */
const errorCharactersMax = 1_000

function refuseError(answer: unknown): void {
  const error = fieldOf(answer, 'Error')
  if (typeof error === 'string' && error !== '') throw new Error(error.slice(0, errorCharactersMax))
}

/** What a foreign answer says wrongly is shown up to so many characters. */
const shownMax = 200
const shownOf = (value: unknown): string => (JSON.stringify(value) ?? 'nothing').slice(0, shownMax)

function wholeOf(value: unknown, name: string): number {
  const number = fieldOf(value, name) ?? 0
  if (typeof number !== 'number' || !Number.isInteger(number)) throw new Error(`an extender's ${name} is no whole number: ${shownOf(number)}`)
  return number
}

/** Null is as good as nothing. */
function fieldOf(value: unknown, name: string): unknown {
  const record = recordOf(value)
  const key = Object.hasOwn(record, name) ? name : Object.keys(record).find((other) => other.toLowerCase() === name.toLowerCase())
  return key === undefined ? undefined : (record[key] ?? undefined)
}

function recordOf(value: unknown): Json {
  if (value === undefined || value === null) return {}
  if (typeof value !== 'object' || Array.isArray(value)) throw new Error(`an extender answers ${shownOf(value)} where an object is expected`)
  return value as Json
}

function listOf(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw new Error(`an extender answers ${shownOf(value)} where a list is expected`)
  return value
}
