/** A list of any kind, from the server's own Table: searched, sorted, live. */
import { useMemo, useState } from 'preact/hooks'
import { useNow, useTable, useWorld } from '../context.ts'
import { titleOf, type Resource } from '../logic/resources.ts'
import { cellText, matches, sorted, toneOf, type Column, type Order, type Row } from '../logic/table.ts'
import { groupOf, objectPlace, placeText } from '../router.ts'
import { Empty, State, Trouble } from './parts.tsx'

/** Rows that are shown at first, and with each further step. */
const rowsStep = 250

export function ListView() {
  const { resources, place } = useWorld()
  const [, group = '', , name = ''] = place.parts
  const resource = resources.find((of) => of.group === groupOf(group) && of.resource === name)
  if (resource === undefined) return <main class="page"><h1>{name}</h1><Empty>The server does not serve this kind.</Empty></main>
  return <Listing resource={resource} />
}

function Listing({ resource }: { readonly resource: Resource }) {
  const { place, namespace } = useWorld()
  const now = useNow()
  const [shownMax, setShownMax] = useState(rowsStep)
  const { items, trouble, columns } = useTable(resource, { namespace })
  const { q: search = '', sort = '', wide = '' } = place.query
  const order: Order | undefined = sort === '' ? undefined : { column: sort.replace(/^-/, ''), down: sort.startsWith('-') }
  const set = (query: Readonly<Record<string, string>>): void => history.replaceState(undefined, '', placeText({ ...place, query: { ...place.query, ...query } }))
  const go = (query: Readonly<Record<string, string>>): void => {
    set(query)
    dispatchEvent(new Event('hashchange'))
  }
  const rows = useMemo(() => sorted((items ?? []).filter((row) => matches(row, search)), columns, order), [items, search, sort, columns])
  const isWide = wide !== ''
  const hidden = columns.some((column) => (column.priority ?? 0) > 0)
  const count = items === undefined ? '' : rows.length === items.length ? String(items.length) : `${rows.length} of ${items.length}`
  return (
    <main class="page" tabIndex={-1}>
      <div class="heading">
        <h1>{titleOf(resource)} <span class="count">{count}</span></h1>
        <span class="grow" />
        {hidden && <label class="check"><input type="checkbox" checked={isWide} onChange={() => go({ wide: isWide ? '' : '1' })} /> All columns</label>}
        <input type="search" class="search" placeholder="Search" aria-label={`Search ${titleOf(resource)}`} value={search} onInput={(event) => go({ q: event.currentTarget.value })} />
      </div>
      {trouble !== undefined && <Trouble trouble={trouble} stale={items !== undefined} />}
      {items === undefined && trouble === undefined && <Empty>Loading …</Empty>}
      {items !== undefined && rows.length === 0 && <Empty>{search === '' ? `There are no ${titleOf(resource)}${namespace === '' || !resource.namespaced ? '' : ` in ${namespace}`}.` : 'Nothing matches your search.'}</Empty>}
      {rows.length > 0 && <Rows resource={resource} rows={rows.slice(0, shownMax)} columns={columns} order={order} isWide={isWide} now={now} onOrder={(column) => go({ sort: nextSort(order, column) })} />}
      {rows.length > shownMax && <button class="plain more" onClick={() => setShownMax(shownMax + rowsStep)}>Show more ({rows.length - shownMax} left)</button>}
    </main>
  )
}

/** Up, down, and back to the list's own order. */
function nextSort(order: Order | undefined, column: string): string {
  if (order?.column !== column) return column
  return order.down ? '' : `-${column}`
}

interface RowsProps {
  readonly resource: Resource
  readonly rows: readonly Row[]
  readonly columns: readonly Column[]
  readonly order: Order | undefined
  readonly isWide: boolean
  readonly now: number
  readonly onOrder: (column: string) => void
}

function Rows({ resource, rows, columns, order, isWide, now, onOrder }: RowsProps) {
  const { namespace } = useWorld()
  const shown = columns.map((column, index) => ({ column, index })).filter(({ column }) => isWide || (column.priority ?? 0) === 0)
  const withNamespace = resource.namespaced && namespace === ''
  return (
    <div class="scroll panel">
      <table class="list">
        <thead>
          <tr>
            {withNamespace && <Head name="Namespace" order={order} onOrder={onOrder} />}
            {shown.map(({ column }) => <Head key={column.name} name={column.name} title={column.description} order={order} onOrder={onOrder} />)}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => {
            const { metadata } = row.object
            const at = { namespace: metadata.namespace ?? '', name: metadata.name ?? '' }
            return (
              <tr key={metadata.uid ?? `${at.namespace}/${at.name}`} class={metadata.deletionTimestamp === undefined ? '' : 'leaving'}>
                {withNamespace && <td class="quiet tight">{at.namespace}</td>}
                {shown.map(({ column, index }) => (
                  <Cell key={column.name} column={column} text={cellText(column, index, row, now)} link={column.name === 'Name' || (index === 0 && !columns.some((of) => of.name === 'Name')) ? objectPlace(resource, at, namespace) : undefined} />
                ))}
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}

interface HeadProps {
  readonly name: string
  readonly title?: string | undefined
  readonly order: Order | undefined
  readonly onOrder: (column: string) => void
}

function Head({ name, title, order, onOrder }: HeadProps) {
  const direction = order?.column !== name ? 'none' : order.down ? 'descending' : 'ascending'
  return (
    <th scope="col" aria-sort={direction} title={title}>
      <button onClick={() => onOrder(name)}>{name}<span aria-hidden="true">{direction === 'none' ? '' : direction === 'ascending' ? ' ↑' : ' ↓'}</span></button>
    </th>
  )
}

function Cell({ column, text, link }: { readonly column: Column; readonly text: string; readonly link: string | undefined }) {
  if (link !== undefined) return <td class="name"><a href={link}>{text}</a></td>
  const tone = toneOf(column.name, text)
  if (tone !== 'none') return <td class="tight"><State text={text} tone={tone} /></td>
  return <td class={text === '<none>' || text === '<unset>' ? 'quiet' : ''}>{text}</td>
}
