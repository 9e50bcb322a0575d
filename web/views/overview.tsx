/** The overview: nodes with what their pods ask for, workloads by namespace, the latest warnings. All live. */
import { useMemo } from 'preact/hooks'
import type { DaemonSet, Deployment, Event, Job, Node, Pod, StatefulSet } from '../../core/api/schema/types.ts'
import { useNow, useObjects, useResource, useWorld } from '../context.ts'
import { bytesText, latest, namespaceSums, nodeSums, type Count, type NodeSum, type Workloads } from '../logic/sums.ts'
import type { Live } from '../stream.ts'
import { listPlace } from '../router.ts'
import { EventTable } from './events.tsx'
import { Age, Empty, Meter, ObjectLink, Panel, State, Trouble } from './parts.tsx'

const warningsMax = 12

export function Overview() {
  const { namespace } = useWorld()
  const now = useNow()
  const nodes = useObjects<Node>(useResource('/nodes'), { namespace: '' })
  const pods = useObjects<Pod>(useResource('/pods'), { namespace })
  const deployments = useObjects<Deployment>(useResource('apps/deployments'), { namespace })
  const statefulsets = useObjects<StatefulSet>(useResource('apps/statefulsets'), { namespace })
  const daemonsets = useObjects<DaemonSet>(useResource('apps/daemonsets'), { namespace })
  const jobs = useObjects<Job>(useResource('batch/jobs'), { namespace })
  const warnings = useObjects<Event>(useResource('/events'), { namespace, fieldSelector: 'type=Warning' })
  const live = { pods, deployments, statefulsets, daemonsets, jobs }
  return (
    <main class="page" tabIndex={-1}>
      <h1>Overview</h1>
      <Tiles nodes={nodes} live={live} warnings={warnings} />
      <Nodes nodes={nodes} pods={pods} now={now} isWhole={namespace === ''} />
      <Namespaces live={live} />
      <Panel title="Latest warnings">
        {warnings.trouble !== undefined && <Trouble trouble={warnings.trouble} stale={warnings.items !== undefined} />}
        {warnings.items !== undefined && (warnings.items.length === 0 ? <Empty>No warnings.</Empty> : <EventTable events={latest(warnings.items, warningsMax)} now={now} withObject />)}
      </Panel>
    </main>
  )
}

type LiveWorkloads = { readonly [K in keyof Workloads]: Live<Workloads[K][number]> }

function Tiles({ nodes, live, warnings }: { readonly nodes: Live<Node>; readonly live: LiveWorkloads; readonly warnings: Live<Event> }) {
  const sums = useSums(live)
  const all = (what: keyof Workloads): Count => sums.reduce((total, of) => ({ ready: total.ready + of[what].ready, of: total.of + of[what].of }), { ready: 0, of: 0 })
  const ready = nodes.items?.filter((node) => node.status?.conditions?.some((of) => of.type === 'Ready' && of.status === 'True'))
  return (
    <div class="tiles">
      {nodes.items !== undefined && <Tile title="Nodes ready" count={{ ready: ready?.length ?? 0, of: nodes.items.length }} to="/nodes" />}
      {live.pods.items !== undefined && <Tile title="Pods ready" count={all('pods')} to="/pods" />}
      {live.deployments.items !== undefined && <Tile title="Deployments available" count={all('deployments')} to="apps/deployments" />}
      {warnings.items !== undefined && (
        <a class="tile" href="#latest" onClick={(event) => { event.preventDefault(); document.querySelector('[aria-label="Latest warnings"]')?.scrollIntoView({ behavior: 'smooth' }) }}>
          <span class={`figure ${warnings.items.length > 0 ? 'busy' : ''}`}>{warnings.items.length}</span><span class="quiet">Warnings</span>
        </a>
      )}
    </div>
  )
}

function Tile({ title, count, to }: { readonly title: string; readonly count: Count; readonly to: string }) {
  const { namespace } = useWorld()
  const resource = useResource(to)
  return (
    <a class="tile" href={resource === undefined ? '#/' : listPlace(resource, namespace)}>
      <span class={`figure ${count.ready < count.of ? 'busy' : 'good'}`}>{count.ready}<span class="quiet"> / {count.of}</span></span>
      <span class="quiet">{title}</span>
    </a>
  )
}

function useSums(live: LiveWorkloads): ReturnType<typeof namespaceSums> {
  const lists = [live.pods.items, live.deployments.items, live.statefulsets.items, live.daemonsets.items, live.jobs.items] as const
  return useMemo(() => {
    const [pods = [], deployments = [], statefulsets = [], daemonsets = [], jobs = []] = lists
    return namespaceSums({ pods, deployments, statefulsets, daemonsets, jobs })
  }, lists as unknown as unknown[])
}

interface NodesProps {
  readonly nodes: Live<Node>
  readonly pods: Live<Pod>
  readonly now: number
  /** The pods are those of all namespaces. */
  readonly isWhole: boolean
}

function Nodes({ nodes, pods, now, isWhole }: NodesProps) {
  const sums = useMemo(() => nodeSums(nodes.items ?? [], pods.items ?? []), [nodes.items, pods.items])
  return (
    <Panel title="Nodes" aside={isWhole ? undefined : <span class="quiet">pods and requests of this namespace only</span>}>
      {nodes.trouble !== undefined && <Trouble trouble={nodes.trouble} stale={nodes.items !== undefined} />}
      {nodes.items?.length === 0 && <Empty>No node has joined yet. On another machine, run the <code>kubun agent</code> command that <code>kubun server</code> printed.</Empty>}
      <div class="nodes">{sums.map((sum) => <NodeCard key={sum.name} node={sum} now={now} />)}</div>
    </Panel>
  )
}

function NodeCard({ node, now }: { readonly node: NodeSum; readonly now: number }) {
  return (
    <article class="node">
      <header>
        <h3><ObjectLink to={{ apiVersion: 'v1', kind: 'Node', name: node.name }}>{node.name}</ObjectLink></h3>
        <State text={node.ready} tone={node.ready === 'Ready' ? 'good' : 'bad'} />
        {node.cordoned && <State text="Cordoned" tone="busy" />}
        {node.pressures.map((pressure) => <State key={pressure} text={pressure} tone="bad" />)}
      </header>
      <p class="quiet">{[node.roles.join(', '), node.address, node.version].filter((text) => text !== '').join(' · ')} · <Age at={node.created} now={now} /></p>
      <Meter label="Pods" share={node.pods} text={String} />
      <Meter label="CPU" share={node.cpu} text={(milli) => String(Math.round(milli / 10) / 100)} />
      <Meter label="Memory" share={node.memoryBytes} text={bytesText} />
    </article>
  )
}

const workloadColumns: readonly (readonly [keyof Workloads, string, string])[] = [
  ['deployments', 'Deployments', 'apps/deployments'],
  ['statefulsets', 'StatefulSets', 'apps/statefulsets'],
  ['daemonsets', 'DaemonSets', 'apps/daemonsets'],
  ['jobs', 'Jobs', 'batch/jobs'],
  ['pods', 'Pods', '/pods'],
]

function Namespaces({ live }: { readonly live: LiveWorkloads }) {
  const sums = useSums(live)
  const trouble = workloadColumns.map(([what]) => live[what].trouble).find((of) => of !== undefined)
  const known = live.pods.items !== undefined
  return (
    <Panel title="Workloads">
      {trouble !== undefined && <Trouble trouble={trouble} stale={known} />}
      {known && sums.length === 0 && <Empty>Nothing runs here.</Empty>}
      {sums.length > 0 && (
        <div class="scroll">
          <table>
            <thead><tr><th scope="col">Namespace</th>{workloadColumns.map(([what, title]) => <th key={what} scope="col" class="number">{title}</th>)}</tr></thead>
            <tbody>
              {sums.map((of) => (
                <tr key={of.namespace}>
                  <th scope="row"><ObjectLink to={{ apiVersion: 'v1', kind: 'Namespace', name: of.namespace }}>{of.namespace}</ObjectLink></th>
                  {workloadColumns.map(([what, , key]) => <CountCell key={what} count={of[what]} resource={key} namespace={of.namespace} />)}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  )
}

function CountCell({ count, resource: key, namespace }: { readonly count: Count; readonly resource: string; readonly namespace: string }) {
  const resource = useResource(key)
  if (count.of === 0 || resource === undefined) return <td class="number quiet">–</td>
  return <td class="number"><a class={count.ready < count.of ? 'busy' : ''} href={listPlace(resource, namespace)}>{count.ready} / {count.of}</a></td>
}
