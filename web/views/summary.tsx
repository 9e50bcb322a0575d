/** What is worth knowing of an object at a glance: containers, conditions, owners, events, labels. */
import { useMemo } from 'preact/hooks'
import type { Event, Node, Pod } from '../../core/api/schema/types.ts'
import { useNow, useObjects, useResource } from '../context.ts'
import { conditionsOf, containersOf } from '../logic/state.ts'
import { latest } from '../logic/sums.ts'
import { EventTable } from './events.tsx'
import type { TabProps } from './object.tsx'
import { Age, Chips, Empty, ObjectLink, Panel, State, Trouble } from './parts.tsx'
import { OwnerTree } from './tree.tsx'

const eventsMax = 50

export function Summary({ resource, object }: TabProps) {
  const now = useNow()
  const { labels = {}, annotations = {} } = object.metadata
  const shownAnnotations = Object.fromEntries(Object.entries(annotations).filter(([key]) => key !== 'kubectl.kubernetes.io/last-applied-configuration'))
  return (
    <div class="columns">
      <div>
        {resource.kind === 'Pod' && <Containers pod={object as unknown as Pod} />}
        <OwnerTree object={object} />
        <Conditions object={object} now={now} />
        <Events object={object} now={now} />
      </div>
      <aside>
        <Panel title="About">
          <dl class="facts">
            {facts(object, resource.kind).map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}
          </dl>
        </Panel>
        {Object.keys(labels).length > 0 && <Panel title="Labels"><Chips pairs={labels} /></Panel>}
        {Object.keys(shownAnnotations).length > 0 && <Panel title="Annotations"><Chips pairs={shownAnnotations} /></Panel>}
      </aside>
    </div>
  )
}

type Fact = readonly [string, preact.ComponentChildren]

function facts(object: TabProps['object'], kind: string): readonly Fact[] {
  const { metadata } = object
  const own = kind === 'Pod' ? podFacts(object as unknown as Pod) : kind === 'Node' ? nodeFacts(object as unknown as Node) : []
  const created = metadata.creationTimestamp
  const all: readonly Fact[] = [
    ...own,
    ['Namespace', metadata.namespace === undefined ? '' : <ObjectLink to={{ apiVersion: 'v1', kind: 'Namespace', name: metadata.namespace }}>{metadata.namespace}</ObjectLink>],
    ['Created', created === undefined ? '' : new Date(created).toLocaleString()],
    ['Finalizers', metadata.finalizers?.join(', ') ?? ''],
    ['UID', <code key="uid">{metadata.uid}</code>],
  ]
  return all.filter(([, value]) => value !== '' && value !== undefined)
}

function podFacts({ metadata, spec, status }: Pod): readonly Fact[] {
  const { nodeName = '', serviceAccountName = '' } = spec ?? {}
  return [
    ['Node', nodeName === '' ? '' : <ObjectLink to={{ apiVersion: 'v1', kind: 'Node', name: nodeName }}>{nodeName}</ObjectLink>],
    ['Pod IP', status?.podIP ?? ''],
    ['Service account', serviceAccountName === '' ? '' : <ObjectLink to={{ apiVersion: 'v1', kind: 'ServiceAccount', namespace: metadata.namespace ?? '', name: serviceAccountName }}>{serviceAccountName}</ObjectLink>],
    ['Quality of service', status?.qosClass ?? ''],
    ['Message', status?.message ?? ''],
  ]
}

function nodeFacts({ status, spec }: Node): readonly Fact[] {
  const { kubeletVersion = '', osImage = '', kernelVersion = '', containerRuntimeVersion = '', architecture = '' } = status?.nodeInfo ?? {}
  return [
    ['Addresses', status?.addresses?.map((of) => of.address).join(', ') ?? ''],
    ['Pod network', spec?.podCIDR ?? ''],
    ['Kubelet', kubeletVersion],
    ['System', osImage],
    ['Kernel', [kernelVersion, architecture].filter((text) => text !== '').join(', ')],
    ['Containers', containerRuntimeVersion],
  ]
}

function Containers({ pod }: { readonly pod: Pod }) {
  return (
    <Panel title="Containers">
      <div class="scroll">
        <table>
          <thead><tr><th scope="col">Name</th><th scope="col">State</th><th scope="col" class="number">Restarts</th><th scope="col" class="wide">Image</th></tr></thead>
          <tbody>
            {containersOf(pod).map((line) => (
              <tr key={line.name}>
                <th scope="row">{line.name}{line.role !== 'container' && <span class="quiet small"> {line.role}</span>}</th>
                <td><State text={line.state} />{line.state === 'Running' && !line.ready && <State text="not ready" tone="busy" />}<div class="quiet small">{line.detail}</div></td>
                <td class="number">{line.restarts}</td>
                <td class="wide"><code>{line.image}</code></td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  )
}

/** Types whose True is bad news. */
const alarming = /Pressure$|Failure$|^Failed|Unavailable$|^Dangling|^NamesNotAccepted|DeletionContentFailure|ParsingFailure/

function Conditions({ object, now }: { readonly object: TabProps['object']; readonly now: number }) {
  const conditions = conditionsOf(object)
  if (conditions.length === 0) return null
  return (
    <Panel title="Conditions">
      <div class="scroll">
        <table>
          <thead><tr><th scope="col">Type</th><th scope="col">Status</th><th scope="col">Since</th><th scope="col" class="wide">Why</th></tr></thead>
          <tbody>
            {conditions.map((of) => (
              <tr key={of.type}>
                <th scope="row">{of.type}</th>
                <td><State text={of.status ?? ''} tone={of.status === 'Unknown' ? 'busy' : (of.status === 'True') === alarming.test(of.type ?? '') ? 'bad' : 'good'} /></td>
                <td class="tight"><Age at={of.lastTransitionTime} now={now} /></td>
                <td class="wide">{of.reason !== undefined && of.reason !== '' && <strong>{of.reason} </strong>}<span class="message">{of.message}</span></td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  )
}

function Events({ object, now }: { readonly object: TabProps['object']; readonly now: number }) {
  const { namespace = 'default', uid = '' } = object.metadata
  // Nodes are named by events with their name for a uid, as the kubelet writes them.
  const about = object.kind === 'Node' ? `involvedObject.kind=Node,involvedObject.name=${object.metadata.name}` : `involvedObject.uid=${uid}`
  const { items, trouble } = useObjects<Event>(useResource('/events'), { namespace: object.kind === 'Node' ? '' : namespace, fieldSelector: about })
  const shown = useMemo(() => latest(items ?? [], eventsMax), [items])
  return (
    <Panel title="Events">
      {trouble !== undefined && <Trouble trouble={trouble} stale={items !== undefined} />}
      {items !== undefined && (shown.length === 0 ? <Empty>Nothing happened lately.</Empty> : <EventTable events={shown} now={now} />)}
    </Panel>
  )
}
