/** An object's page: its head and its tabs. Live, as long as it is there. */
import type { FunctionComponent } from 'preact'
import type { AnyObject } from '../../core/api/meta.ts'
import { useNow, useObjects, useWorld } from '../context.ts'
import { titleOf, type Resource } from '../logic/resources.ts'
import { groupOf, listPlace, objectPlace, referenceOf } from '../router.ts'
import { stateOf, toneOfState } from '../logic/state.ts'
import { Logs } from './logs.tsx'
import { Age, Empty, State, Trouble } from './parts.tsx'
import { Summary } from './summary.tsx'
import { Why } from './why.tsx'
import { YamlView } from './yaml.tsx'

export interface TabProps {
  readonly resource: Resource
  readonly object: AnyObject
}

interface Tab {
  readonly id: string
  readonly title: string
  /** Which kinds have it; all of them where it is not said. */
  readonly isFor?: (resource: Resource) => boolean
  readonly view: FunctionComponent<TabProps>
}

/** In the order in which they are shown. To add one: a file beside this, a line here. */
const tabs: readonly Tab[] = [
  { id: '', title: 'Summary', view: Summary },
  { id: 'yaml', title: 'YAML', view: YamlView },
  { id: 'logs', title: 'Logs', isFor: ({ group, resource }) => group === '' && resource === 'pods', view: Logs },
]

export function ObjectView() {
  const { resources, place } = useWorld()
  const [, group = '', , name = ''] = place.parts
  const resource = resources.find((of) => of.group === groupOf(group) && of.resource === name)
  if (resource === undefined) return <main class="page"><h1>{name}</h1><Empty>The server does not serve this kind.</Empty></main>
  return <OneObject resource={resource} />
}

function OneObject({ resource }: { readonly resource: Resource }) {
  const { place, namespace: chosen } = useWorld()
  const now = useNow()
  const at = referenceOf(place.parts)
  const { items, trouble } = useObjects<AnyObject>(resource, { namespace: at.namespace, fieldSelector: `metadata.name=${at.name}` })
  const object = items?.[0]
  const mine = tabs.filter((tab) => tab.isFor?.(resource) ?? true)
  const current = mine.find((tab) => tab.id === (place.query['tab'] ?? '')) ?? mine[0]
  const state = object === undefined ? undefined : stateOf(object)
  return (
    <main class="page" tabIndex={-1}>
      <p class="crumbs"><a href={listPlace(resource, chosen)}>{titleOf(resource)}</a>{at.namespace !== '' && <> / <span>{at.namespace}</span></>}</p>
      <div class="heading">
        <h1>{at.name}</h1>
        {state !== undefined && <State text={state} tone={toneOfState(state)} />}
        {object?.metadata.deletionTimestamp !== undefined && state !== 'Terminating' && <State text="Terminating" tone="busy" />}
        {object !== undefined && <span class="quiet">{resource.kind} · <Age at={object.metadata.creationTimestamp} now={now} /> old</span>}
      </div>
      {trouble !== undefined && <Trouble trouble={trouble} stale={items !== undefined} />}
      {items === undefined && trouble === undefined && <Empty>Loading …</Empty>}
      {items !== undefined && object === undefined && <Empty>There is no {resource.kind} of this name{at.namespace === '' ? '' : ` in ${at.namespace}`} (any more). <a href={listPlace(resource, chosen)}>All {titleOf(resource)}</a></Empty>}
      {object !== undefined && current !== undefined && (
        <>
          <Why key={`why ${object.metadata.uid}`} resource={resource} object={object} />
          {mine.length > 1 && (
            <nav class="tabs" aria-label="Parts of this page">
              {mine.map((tab) => <a key={tab.id} href={objectPlace(resource, at, chosen, tab.id)} aria-current={tab === current ? 'page' : undefined}>{tab.title}</a>)}
            </nav>
          )}
          <current.view key={object.metadata.uid} resource={resource} object={object} />
        </>
      )}
    </main>
  )
}
