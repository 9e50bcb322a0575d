/** Where generated objects begin: a small valid object of every kind that is served, and what its definition says. */
import { kinds } from '../../../core/api/kinds.ts'
import type { Kind } from '../../../core/api/kind.ts'
import { definitionOf, type Definition } from '../../../core/api/schema/schema.ts'
import { samples } from '../cases/objects.ts'
import type { Json } from './mutate.ts'

export interface Seed {
  readonly kind: Pick<Kind, 'group' | 'version' | 'kind' | 'plural' | 'namespaced' | 'subresources' | 'verbs'> & { readonly scaled: boolean; readonly withStatus: boolean }
  readonly definition: Definition
  /** `{n}` stands for the number of the object. */
  readonly name: string
  readonly object: Json
}

/** Names that a kind wants otherwise. */
const names: Readonly<Record<string, string>> = {
  ipaddresses: '192.168.{n}.7', apiservices: 'v1.g{n}.example.com', customresourcedefinitions: 'wants{n}.g{n}.example.com',
}

const caller = { clientConfig: { url: 'https://127.0.0.1:1/x' }, sideEffects: 'None', admissionReviewVersions: ['v1'], rules: [{ apiGroups: ['none.example.com'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['nothings'] }] }

/** Of kinds that the hand-written samples leave out. */
const more: readonly (readonly [group: string, version: string, kind: string, object: Json])[] = [
  ['flowcontrol.apiserver.k8s.io', 'v1', 'FlowSchema', { spec: { priorityLevelConfiguration: { name: 'global-default' }, matchingPrecedence: 9_000, distinguisherMethod: { type: 'ByUser' }, rules: [{ subjects: [{ kind: 'User', user: { name: 'nobody-at-all' } }], resourceRules: [{ verbs: ['get'], apiGroups: ['none.example.com'], resources: ['x'], namespaces: ['a'] }] }] } }],
  ['flowcontrol.apiserver.k8s.io', 'v1', 'PriorityLevelConfiguration', { spec: { type: 'Limited', limited: { nominalConcurrencyShares: 1, limitResponse: { type: 'Queue', queuing: { queues: 4, handSize: 2, queueLengthLimit: 5 } } } } }],
  ['admissionregistration.k8s.io', 'v1', 'ValidatingWebhookConfiguration', { webhooks: [{ name: 'a.example.com', ...caller }] }],
  ['admissionregistration.k8s.io', 'v1', 'MutatingWebhookConfiguration', { webhooks: [{ name: 'a.example.com', ...caller }] }],
  ['apiregistration.k8s.io', 'v1', 'APIService', { spec: { group: 'g{n}.example.com', version: 'v1', groupPriorityMinimum: 100, versionPriority: 10, insecureSkipTLSVerify: true, service: { namespace: 'none', name: 's' } } }],
]

function seedOf(group: string, version: string, kindName: string | undefined, plural: string | undefined, object: Json): Seed | undefined {
  const kind = kinds.find((each) => each.group === group && each.version === version && (kindName === undefined ? each.plural === plural : each.kind === kindName))
  const definition = kind === undefined ? undefined : definitionOf(group, version, kind.kind)
  if (kind === undefined || definition === undefined) return undefined
  const { metadata, ...fields } = object as { metadata?: Json }
  const { name: _, ...rest } = metadata ?? {}
  const name = names[kind.plural] ?? 'g{n}'
  return {
    kind: { ...kind, scaled: kind.scale !== undefined, withStatus: kind.status !== undefined },
    definition, name, object: { apiVersion: group === '' ? version : `${group}/${version}`, kind: kind.kind, metadata: { name, ...rest }, ...fields },
  }
}

export const seeds: readonly Seed[] = [
  ...samples.map(({ path, object }) => {
    const [, root = '', ...parts] = path.split('/')
    const [group = '', version = ''] = root === 'api' ? ['', parts[0]] : parts
    return seedOf(group, version, undefined, parts.at(-1), object)
  }),
  ...more.map(([group, version, kind, object]) => seedOf(group, version, kind, undefined, object)),
].filter((seed) => seed !== undefined)
