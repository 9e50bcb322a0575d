/**
 * The FlowSchemas and PriorityLevelConfigurations that every cluster has: two of each that cannot be changed or missed, and
 * the suggested ones around them (k8s.io/apiserver/pkg/apis/flowcontrol/bootstrap/default.go).
 */
import type { FlowSchema, FlowcontrolV1Subject, PolicyRulesWithSubjects, PriorityLevelConfiguration, PriorityLevelConfigurationSpec, ResourcePolicyRule } from '../schema/types.ts'

/** "true": the spec is brought up to date by itself. */
export const autoUpdateAnnotation = 'apf.kubernetes.io/autoupdate-spec'
/** Name of the schema and of the level that nothing is counted against. */
export const exemptName = 'exempt'
/** Name of the last schema and of its level. */
export const catchAllName = 'catch-all'

const nodesGroup = 'system:nodes'
const everyone = ['system:unauthenticated', 'system:authenticated'] as const

function level(name: string, spec: PriorityLevelConfigurationSpec): PriorityLevelConfiguration {
  return { metadata: { name, annotations: { [autoUpdateAnnotation]: 'true' } }, spec }
}

function queued(name: string, shares: number, lendable: number, queues: number, handSize: number): PriorityLevelConfiguration {
  const limitResponse = { type: 'Queue', queuing: { queues, handSize, queueLengthLimit: 50 } }
  return level(name, { type: 'Limited', limited: { nominalConcurrencyShares: shares, lendablePercent: lendable, limitResponse } })
}

export const mandatoryLevels: readonly PriorityLevelConfiguration[] = [
  level(catchAllName, { type: 'Limited', limited: { nominalConcurrencyShares: 5, lendablePercent: 0, limitResponse: { type: 'Reject' } } }),
  level(exemptName, { type: 'Exempt', exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } }),
]

export const suggestedLevels: readonly PriorityLevelConfiguration[] = [
  queued('system', 30, 33, 64, 6), // nodes
  queued('node-high', 40, 25, 64, 6), // the health of nodes
  queued('leader-election', 10, 0, 16, 4),
  queued('workload-high', 40, 50, 128, 6), // controllers and scheduler
  queued('workload-low', 100, 90, 128, 6), // service accounts
  queued('global-default', 20, 50, 128, 6), // everybody else
]

const all = ['*']
const anyResource: ResourcePolicyRule = { verbs: all, apiGroups: all, resources: all, namespaces: all, clusterScope: true }
const anything = { resourceRules: [anyResource], nonResourceRules: [{ verbs: all, nonResourceURLs: all }] } as const

const groups = (...names: readonly string[]): FlowcontrolV1Subject[] => names.map((name) => ({ kind: 'Group', group: { name } }))
const users = (...names: readonly string[]): FlowcontrolV1Subject[] => names.map((name) => ({ kind: 'User', user: { name } }))
const systemAccounts: FlowcontrolV1Subject = { kind: 'ServiceAccount', serviceAccount: { name: '*', namespace: 'kube-system' } }

interface SchemaInit {
  readonly level: string
  readonly precedence: number
  readonly by?: 'ByUser' | 'ByNamespace'
  readonly subjects: FlowcontrolV1Subject[]
  readonly rules: { readonly resourceRules?: readonly ResourcePolicyRule[]; readonly nonResourceRules?: readonly { readonly verbs: readonly string[]; readonly nonResourceURLs: readonly string[] }[] }
}

function schema(name: string, { level: to, precedence, by, subjects, rules }: SchemaInit): FlowSchema {
  return {
    metadata: { name, annotations: { [autoUpdateAnnotation]: 'true' } },
    spec: {
      priorityLevelConfiguration: { name: to },
      matchingPrecedence: precedence,
      ...(by === undefined ? {} : { distinguisherMethod: { type: by } }),
      rules: [{ subjects, ...rules } as PolicyRulesWithSubjects],
    },
  }
}

export const mandatorySchemas: readonly FlowSchema[] = [
  schema(exemptName, { level: exemptName, precedence: 1, subjects: groups('system:masters'), rules: anything }),
  schema(catchAllName, { level: catchAllName, precedence: 10_000, by: 'ByUser', subjects: groups(...everyone), rules: anything }),
]

const leases = (...verbs: string[]): ResourcePolicyRule => ({ verbs, apiGroups: ['coordination.k8s.io'], resources: ['leases'], namespaces: all })
const nodesThemselves: ResourcePolicyRule = { verbs: all, apiGroups: [''], resources: ['nodes', 'nodes/status'], namespaces: all, clusterScope: true }

export const suggestedSchemas: readonly FlowSchema[] = [
  schema('system-nodes', { level: 'system', precedence: 500, by: 'ByUser', subjects: groups(nodesGroup), rules: anything }),
  schema('system-node-high', { level: 'node-high', precedence: 400, by: 'ByUser', subjects: groups(nodesGroup), rules: { resourceRules: [nodesThemselves, leases('*')] } }),
  schema('probes', { level: exemptName, precedence: 2, subjects: groups(...everyone), rules: { nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/readyz', '/livez'] }] } }),
  schema('system-leader-election', {
    level: 'leader-election', precedence: 100, by: 'ByUser',
    subjects: [...users('system:kube-controller-manager', 'system:kube-scheduler'), systemAccounts],
    rules: { resourceRules: [leases('get', 'create', 'update')] },
  }),
  schema('kube-controller-manager', { level: 'workload-high', precedence: 800, by: 'ByNamespace', subjects: users('system:kube-controller-manager'), rules: anything }),
  schema('kube-scheduler', { level: 'workload-high', precedence: 800, by: 'ByNamespace', subjects: users('system:kube-scheduler'), rules: anything }),
  schema('kube-system-service-accounts', { level: 'workload-high', precedence: 900, by: 'ByNamespace', subjects: [systemAccounts], rules: anything }),
  schema('service-accounts', { level: 'workload-low', precedence: 9_000, by: 'ByUser', subjects: groups('system:serviceaccounts'), rules: anything }),
  schema('global-default', { level: 'global-default', precedence: 9_900, by: 'ByUser', subjects: groups(...everyone), rules: anything }),
]
