/** Around every view: the menu of kinds, the namespace, who is signed in. */
import type { ComponentChildren } from 'preact'
import { useEffect, useMemo, useState } from 'preact/hooks'
import type { KubeObject } from '../../core/api/meta.ts'
import { ask } from '../api.ts'
import { useObjects, useResource, useWorld } from '../context.ts'
import { menu, titleOf, type Resource } from '../logic/resources.ts'
import { groupPart, listPlace, placeText } from '../router.ts'
import type { Live } from '../stream.ts'
import { Mark } from './login.tsx'

interface ShellProps {
  readonly onSignedOut: () => void
  readonly children: ComponentChildren
}

export function Shell({ onSignedOut, children }: ShellProps) {
  const { me, place } = useWorld()
  const [open, setOpen] = useState(false)
  const namespaces = useObjects(useResource('/namespaces'), { namespace: '' })
  useEffect(() => setOpen(false), [place])
  const signOut = (): void => {
    ask('/ui/logout', { body: {} }).then(onSignedOut, onSignedOut)
  }
  return (
    <div class={`shell ${open ? 'open' : ''}`}>
      <a class="skip" href={placeText(place)} onClick={(event) => { event.preventDefault(); document.querySelector<HTMLElement>('main')?.focus() }}>Skip the menu</a>
      <Menu />
      <div class="body">
        <header class="bar">
          <button class="plain burger" aria-label="Menu" aria-expanded={open} onClick={() => setOpen(!open)}>☰</button>
          <NamespaceChoice live={namespaces} />
          <span class="grow" />
          <span class="me" title={me.groups.join(', ')}>{me.name}</span>
          <button class="plain" onClick={signOut}>Sign out</button>
        </header>
        {namespaces.trouble?.code === 0 && namespaces.items !== undefined && <p class="gone" role="alert">The server does not answer. What you see is from before; it goes on as soon as the server does.</p>}
        {children}
      </div>
    </div>
  )
}

function Menu() {
  const { resources, namespace, place } = useWorld()
  const [search, setSearch] = useState('')
  const sections = useMemo(() => menu(resources), [resources])
  const wanted = search.trim().toLowerCase()
  const found = (of: Resource): boolean => [of.kind, of.resource, of.group, ...of.shortNames].some((text) => text.toLowerCase().includes(wanted))
  const [view = '', group = '', , resource = ''] = place.parts
  const isHere = (of: Resource): boolean => view !== '' && groupPart(of.group) === group && of.resource === resource
  return (
    <nav class="menu" aria-label="Kinds">
      <a class="brand" href={placeText({ parts: [], query: { ns: namespace } })}><Mark />Kubun</a>
      <input type="search" placeholder="Find a kind" aria-label="Find a kind" value={search} onInput={(event) => setSearch(event.currentTarget.value)} />
      <div class="menu-scroll">
        {wanted === '' && <ul><li><a href={placeText({ parts: [], query: { ns: namespace } })} aria-current={view === '' ? 'page' : undefined}>Overview</a></li></ul>}
        {sections.map((section) => {
          const shown = section.resources.filter(found)
          if (shown.length === 0) return null
          return (
            <div key={section.title}>
              <h2>{section.title}</h2>
              <ul>
                {shown.map((of) => (
                  <li key={`${of.group}/${of.resource}`}>
                    <a href={listPlace(of, namespace)} title={`${of.resource}${of.group === '' ? '' : `.${of.group}`}`} aria-current={isHere(of) ? 'page' : undefined}>{titleOf(of)}</a>
                  </li>
                ))}
              </ul>
            </div>
          )
        })}
      </div>
    </nav>
  )
}

/** A choice where the user may list namespaces, else a field to write one in. */
function NamespaceChoice({ live: { items, trouble } }: { readonly live: Live<KubeObject> }) {
  const { namespace, place } = useWorld()
  const choose = (chosen: string): void => {
    location.hash = placeText({ ...place, query: { ...place.query, ns: chosen } })
  }
  if (items === undefined && trouble !== undefined) {
    return (
      <label class="choice">Namespace
        <input class="namespace" value={namespace} placeholder="all" onChange={(event) => choose(event.currentTarget.value.trim())} />
      </label>
    )
  }
  const names = (items ?? []).map((item) => item.metadata.name ?? '').toSorted()
  if (namespace !== '' && !names.includes(namespace)) names.unshift(namespace)
  return (
    <label class="choice">Namespace
      <select class="namespace" value={namespace} onChange={(event) => choose(event.currentTarget.value)}>
        <option value="">All namespaces</option>
        {names.map((name) => <option key={name} value={name}>{name}</option>)}
      </select>
    </label>
  )
}
