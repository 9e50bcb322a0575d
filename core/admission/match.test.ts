import { describe, expect, it } from 'vitest'
import { events } from '../api/core/event.ts'
import { configMaps } from '../api/core/configmap.ts'
import { namespaces } from '../api/core/namespace.ts'
import { nodes } from '../api/core/node.ts'
import { pods } from '../api/core/pod.ts'
import { deployments } from '../api/apps/deployment.ts'
import { eventsV1Events } from '../api/events/event.ts'
import { horizontalPodAutoscalers } from '../api/autoscaling/horizontalpodautoscaler.ts'
import { horizontalPodAutoscalersV1 } from '../api/autoscaling/horizontalpodautoscalerv1.ts'
import { ApiError } from '../api/errors.ts'
import type { Kind } from '../api/kind.ts'
import { kinds } from '../api/kinds.ts'
import type { AnyObject } from '../api/meta.ts'
import type { NamedRuleWithOperations } from '../api/schema/types.ts'
import { FakeWorld } from '../auth/world.fake.ts'
import { criteriaOf, isExempt, matchRequest, policyCriteria, type CriteriaInit } from './match.ts'
import type { AdmissionRequest } from './plugin.ts'

const lookup = new FakeWorld().put(namespaces, { metadata: { name: 'ns', labels: { team: 'a' } } })
const world = { lookup, kinds: () => kinds }

interface Ask {
  readonly kind?: Kind
  readonly operation?: AdmissionRequest['operation']
  readonly subresource?: string
  readonly namespace?: string
  readonly name?: string
  readonly labels?: Record<string, string>
  readonly old?: Record<string, string>
}

function request(ask: Ask): AdmissionRequest {
  const { kind = pods, operation = 'CREATE', subresource = '', name = 'x' } = ask
  const object = (labels: Record<string, string> | undefined): AnyObject | undefined => (labels === undefined ? undefined : { metadata: { name, labels } })
  return {
    kind, operation, subresource, name, namespace: ask.namespace ?? (kind.namespaced ? 'ns' : ''), object: operation === 'DELETE' ? undefined : object(ask.labels ?? {}), oldObject: object(ask.old),
    options: {}, dryRun: false, user: { name: 'u', groups: [] }, warn: () => {},
  }
}

const rule = (part: Partial<NamedRuleWithOperations> = {}): NamedRuleWithOperations => ({ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], scope: '*', ...part })
const all = rule({ operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*/*'] })

function match(init: CriteriaInit, ask: Ask): string {
  const found = matchRequest(criteriaOf(init), request(ask), world)
  if (found === undefined) return 'no'
  return found instanceof ApiError ? `${found.code}: ${found.message}` : `${found.resource.group}/${found.resource.version}/${found.resource.resource} ${found.kind.kind}`
}

describe('rules', () => {
  it.each<[string, Partial<NamedRuleWithOperations>, Ask, boolean]>([
    ['the very thing', {}, {}, true],
    ['another operation', {}, { operation: 'UPDATE' }, false],
    ['any operation', { operations: ['*'] }, { operation: 'CONNECT', subresource: '' }, true],
    ['another group', { apiGroups: ['apps'] }, {}, false],
    ['another version', { apiVersions: ['v2'] }, {}, false],
    ['any group and version', { apiGroups: ['*'], apiVersions: ['*'] }, {}, true],
    ['no groups', { apiGroups: [] }, {}, false],
    ['another resource', { resources: ['nodes'] }, {}, false],
    ['no subresource', {}, { subresource: 'status' }, false],
    ['a subresource', { resources: ['pods/status'] }, { subresource: 'status' }, true],
    ['a subresource is not the object', { resources: ['pods/status'] }, {}, false],
    ['all resources', { resources: ['*'] }, {}, true],
    ['all resources are no subresources', { resources: ['*'] }, { subresource: 'status' }, false],
    ['all subresources', { resources: ['pods/*'] }, { subresource: 'exec' }, true],
    ['all subresources and the object', { resources: ['pods/*'] }, {}, true],
    ['a subresource of all', { resources: ['*/status'] }, { subresource: 'status' }, true],
    ['everything', { resources: ['*/*'] }, { subresource: 'status' }, true],
    ['in a namespace', { scope: 'Namespaced' }, {}, true],
    ['in none', { scope: 'Cluster' }, {}, false],
    ['a node is in none', { scope: 'Cluster', resources: ['nodes'] }, { kind: nodes }, true],
    ['a namespace is in none', { scope: 'Namespaced', resources: ['namespaces'] }, { kind: namespaces }, false],
    ['a namespace is of the cluster', { scope: 'Cluster', resources: ['namespaces'] }, { kind: namespaces }, true],
    ['its name', { resourceNames: ['y', 'x'] }, {}, true],
    ['another name', { resourceNames: ['y'] }, {}, false],
  ])('%s', (_, part, ask, want) => {
    expect(match({ rules: [rule(part)] }, ask) !== 'no').toBe(want)
  })
})

describe('equivalent resources', () => {
  const v1 = rule({ apiGroups: ['autoscaling'], apiVersions: ['v1'], resources: ['horizontalpodautoscalers'] })
  it.each<[string, CriteriaInit, Ask, string]>([
    ['as asked comes first', { rules: [{ ...v1, apiVersions: ['v1', 'v2'] }], matchPolicy: 'Equivalent' }, { kind: horizontalPodAutoscalers }, 'autoscaling/v2/horizontalpodautoscalers HorizontalPodAutoscaler'],
    ['another version', { rules: [v1], matchPolicy: 'Equivalent' }, { kind: horizontalPodAutoscalers }, 'autoscaling/v1/horizontalpodautoscalers HorizontalPodAutoscaler'],
    ['exactly', { rules: [v1], matchPolicy: 'Exact' }, { kind: horizontalPodAutoscalers }, 'no'],
    ['the other way', { rules: [{ ...v1, apiVersions: ['v2'] }], matchPolicy: 'Equivalent' }, { kind: horizontalPodAutoscalersV1 }, 'autoscaling/v2/horizontalpodautoscalers HorizontalPodAutoscaler'],
    ['another group', { rules: [rule({ apiGroups: ['events.k8s.io'], resources: ['events'] })], matchPolicy: 'Equivalent' }, { kind: events }, 'events.k8s.io/v1/events Event'],
    ['the core group', { rules: [rule({ resources: ['events'] })], matchPolicy: 'Equivalent' }, { kind: eventsV1Events }, '/v1/events Event'],
    ['of other objects', { rules: [v1], matchPolicy: 'Equivalent' }, { kind: deployments }, 'no'],
  ])('%s', (_, init, ask, want) => {
    expect(match(init, ask)).toBe(want)
  })
})

describe('selectors', () => {
  const team = { matchLabels: { team: 'a' } }
  it.each<[string, CriteriaInit, Ask, string]>([
    ['a namespace with the label', { namespaceSelector: team }, {}, '/v1/pods Pod'],
    ['a namespace without it', { namespaceSelector: { matchLabels: { team: 'b' } } }, {}, 'no'],
    ['a namespace that is not there', { namespaceSelector: team }, { namespace: 'gone' }, '404: namespaces "gone" not found'],
    ['what is in no namespace', { namespaceSelector: { matchLabels: { team: 'b' } } }, { kind: nodes }, '/v1/nodes Node'],
    ['a new namespace by its own labels', { namespaceSelector: team }, { kind: namespaces, name: 'new', labels: { team: 'a' } }, '/v1/namespaces Namespace'],
    ['a new namespace without', { namespaceSelector: team }, { kind: namespaces, name: 'new' }, 'no'],
    ['a namespace that goes by its labels of now', { namespaceSelector: team }, { kind: namespaces, name: 'ns', operation: 'DELETE' }, '/v1/namespaces Namespace'],
    ['an object', { objectSelector: team }, { labels: { team: 'a' } }, '/v1/pods Pod'],
    ['an object as it was', { objectSelector: team }, { operation: 'UPDATE', labels: {}, old: { team: 'a' } }, '/v1/pods Pod'],
    ['an object that goes', { objectSelector: team }, { operation: 'DELETE', old: { team: 'a' } }, '/v1/pods Pod'],
    ['another object', { objectSelector: team }, { labels: { team: 'b' } }, 'no'],
  ])('%s', (_, init, ask, want) => {
    expect(match({ rules: [all], ...init }, ask)).toBe(want)
  })

  it('a missing namespace is no trouble where no rule is about the request', () => {
    expect(match({ rules: [rule({ resources: ['nodes'] })], namespaceSelector: team }, { namespace: 'gone' })).toBe('no')
  })
})

describe('policies', () => {
  const policy = (init: Parameters<typeof policyCriteria>[0], ask: Ask): boolean => matchRequest(policyCriteria(init), request(ask), world) !== undefined
  it('mean everything without rules, but for what they exclude', () => {
    expect(policy({}, {})).toBe(true)
    expect(policy({ excludeResourceRules: [all] }, {})).toBe(false)
    expect(policy({ excludeResourceRules: [rule({ resources: ['nodes'] })] }, { kind: configMaps })).toBe(true)
    expect(policy({ resourceRules: [rule()] }, { kind: configMaps })).toBe(false)
    expect(policy({ resourceRules: [all], excludeResourceRules: [rule({ resourceNames: ['x'] })] }, { name: 'y' })).toBe(true)
  })
  it('are not asked about themselves', () => {
    const named = (plural: string): Kind => kinds.find((kind) => kind.plural === plural) as Kind
    expect(isExempt(request({ kind: named('mutatingwebhookconfigurations') }))).toBe(true)
    expect(isExempt(request({ kind: pods }))).toBe(false)
  })
})
