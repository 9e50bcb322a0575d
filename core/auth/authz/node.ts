/**
 * The node authorizer: a kubelet (user system:node:<name> in system:nodes) may
 * touch what belongs to its node and nothing else, with upstream's reasons
 * (plugin/pkg/auth/authorizer/node/node_authorizer.go). What a node may write
 * into its objects is the admission plugin NodeRestriction's affair.
 */
import type { PolicyRule } from '../../api/schema/types.ts'
import { localPathSelector } from '../../api/storage/localpath.ts'
import type { Attributes, Authorizer, Decision, ResourceAttributes, User } from '../user.ts'
import type { NodeGraph, Vertex } from './graph.ts'
import { ruleAllows } from './rules.ts'

const allow: Decision = { answer: 'allow', reason: '' }
const no = (reason: string): Decision => ({ answer: 'no opinion', reason })

/** The node's name; '' for a member of system:nodes with an odd name; undefined for everybody else. */
export function nodeNameOf(user: User): string | undefined {
  if (!user.name.startsWith('system:node:') || !user.groups.includes('system:nodes')) return undefined
  return user.name.slice('system:node:'.length)
}

/** @param rules What every node may do alike: the cluster role system:node of policy.ts. */
export function nodeAuthorizer(graph: NodeGraph, rules: readonly Readonly<PolicyRule>[]): Authorizer {
  return {
    authorize(asked: Attributes): Decision {
      const node = nodeNameOf(asked.user)
      if (node === undefined) return no('')
      if (node === '') return no(`unknown node for user ${JSON.stringify(asked.user.name)}`)
      const special = asked.type === 'resource' ? table[`${asked.group}/${asked.resource}`] : undefined
      if (special !== undefined && asked.type === 'resource') return special({ graph, node, asked })
      return rules.some((rule) => ruleAllows(rule, asked)) ? allow : no('')
    },
  }
}

interface Question {
  readonly graph: NodeGraph
  readonly node: string
  readonly asked: ResourceAttributes
}

const table: Readonly<Record<string, (q: Question) => Decision>> = {
  '/secrets': (q) => reads(q, 'secret'),
  '/configmaps': (q) => reads(q, 'configmap'),
  '/persistentvolumeclaims': (q) => (q.asked.subresource === 'status' ? statusUpdates(q, 'claim') : gets(q, 'claim')),
  '/persistentvolumes': volumes,
  '/serviceaccounts': serviceAccounts,
  '/nodes': nodes,
  '/pods': pods,
  'resource.k8s.io/resourceclaims': (q) => gets(q, 'resourceclaim'),
  'resource.k8s.io/resourceslices': slices,
  'certificates.k8s.io/podcertificaterequests': () => no(''), // not served
  'storage.k8s.io/volumeattachments': (q) => gets(q, 'attachment'),
  'storage.k8s.io/csinodes': csiNodes,
  'coordination.k8s.io/leases': leases,
}

function related(q: Question, vertex: Vertex): Decision {
  if (q.asked.name === '') return no('No Object name found')
  if (q.graph.reaches(q.node, vertex, q.asked.namespace, q.asked.name)) return allow
  return no(`no relationship found between node '${q.node}' and this object`)
}

function reads(q: Question, vertex: Vertex): Decision {
  const { verb, subresource, namespace } = q.asked
  if (verb !== 'get' && verb !== 'list' && verb !== 'watch') return no('can only read resources of this type')
  if (subresource !== '') return no('cannot read subresource')
  return namespace === '' ? no('can only read namespaced object of this type') : related(q, vertex)
}

function gets(q: Question, vertex: Vertex): Decision {
  if (q.asked.verb !== 'get') return no('can only get individual resources of this type')
  return q.asked.subresource === '' ? related(q, vertex) : no('cannot get subresource')
}

/** Beyond upstream's: a node follows the volumes that are folders of its own; NodeRestriction says what it may write there. */
function volumes(q: Question): Decision {
  const { verb, subresource, labelSelector } = q.asked
  if ((verb === 'list' || verb === 'watch') && subresource === '' && labelSelector !== undefined && labelSelector === localPathSelector(q.node)) return allow
  if (verb === 'patch' && subresource === '') return related(q, 'localvolume')
  return verb === 'get' && subresource === '' && related(q, 'localvolume') === allow ? allow : gets(q, 'volume')
}

function statusUpdates(q: Question, vertex: Vertex): Decision {
  return q.asked.verb === 'update' || q.asked.verb === 'patch' ? related(q, vertex) : no('can only get/update/patch this type')
}

function serviceAccounts(q: Question): Decision {
  const { verb, subresource, name } = q.asked
  if (verb === 'get' && subresource === '') return reads(q, 'serviceaccount')
  if (verb !== 'create' || name === '') return no('can only create tokens for individual service accounts')
  if (subresource !== 'token') return no('can only create token subresource of serviceaccount')
  return related(q, 'serviceaccount')
}

const ownVerbs = new Set(['get', 'create', 'update', 'patch', 'delete'])

function leases(q: Question): Decision {
  if (!ownVerbs.has(q.asked.verb)) return no('can only get, create, update, patch, or delete a node lease')
  if (q.asked.namespace !== 'kube-node-lease') return no('can only access leases in the "kube-node-lease" system namespace')
  // the name of what is created is not known yet; NodeRestriction looks at it
  if (q.asked.verb === 'create' || q.asked.name === q.node) return allow
  return no('can only access node lease with the same name as the requesting node')
}

function csiNodes(q: Question): Decision {
  if (!ownVerbs.has(q.asked.verb)) return no('can only get, create, update, patch, or delete a CSINode')
  if (q.asked.subresource !== '') return no('cannot authorize CSINode subresources')
  if (q.asked.verb === 'create' || q.asked.name === q.node) return allow
  return no('can only access CSINode with the same name as the requesting node')
}

function slices(q: Question): Decision {
  if (q.asked.subresource !== '') return no('cannot authorize ResourceSlice subresources')
  switch (q.asked.verb) {
    case 'create':
      return allow
    case 'get': case 'update': case 'patch': case 'delete':
      return related(q, 'slice')
    case 'watch': case 'list': case 'deletecollection':
      return pinned(q, 'spec.nodeName') ? allow : no('can only list/watch/deletecollection resourceslices with nodeName field selector')
    default:
      return no('only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, delete, deletecollection')
  }
}

function nodes(q: Question): Decision {
  const { verb, subresource, name } = q.asked
  const writes = verb === 'update' || verb === 'patch'
  if (subresource === 'status') return writes ? allow : no('')
  if (subresource !== '') return no('')
  if (writes || verb === 'create') return allow
  if (verb !== 'get' && verb !== 'list' && verb !== 'watch') return no('')
  if (name === q.node) return allow
  if (name === '') return no(`node '${q.node}' cannot read all nodes, only its own Node object`)
  return no(`node '${q.node}' cannot read '${name}', only its own Node object`)
}

function pods(q: Question): Decision {
  const { verb, subresource, name } = q.asked
  if (subresource === 'status') return verb === 'update' || verb === 'patch' ? allow : no('')
  if (subresource === 'eviction') return verb === 'create' ? allow : no('')
  if (subresource !== '') return no('')
  if (verb === 'get') return gets(q, 'pod')
  if (verb === 'create' || verb === 'delete') return allow
  if (verb !== 'list' && verb !== 'watch') return no('')
  if (pinned(q, 'spec.nodeName')) return allow
  return name === '' ? no('can only list/watch pods with spec.nodeName field selector') : related(q, 'pod')
}

/** Whether the field selector holds `field` to this node. */
function pinned(q: Question, field: string): boolean {
  return (q.asked.fieldSelector ?? '').split(',').some((term) => {
    // By hand: a pattern with three runs of spaces takes minutes for a term of nothing else.
    const at = term.indexOf('=')
    const value = term.slice(term[at + 1] === '=' ? at + 2 : at + 1)
    return at > 0 && term.slice(0, at).trim() === field && value.trim() === q.node
  })
}
