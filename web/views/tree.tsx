/** Where an object comes from and what comes of it, as a tree. */
import { useEffect, useMemo, useState } from 'preact/hooks'
import type { AnyObject, KubeObject } from '../../core/api/meta.ts'
import { askJson } from '../api.ts'
import { useObjects, useWorld } from '../context.ts'
import { depthMax, descendantKinds, isSpent, kindKey, ownerOf, ownerTree, type Branch } from '../logic/owners.ts'
import { apiPath, resourceOf, type Resource } from '../logic/resources.ts'
import { stateOf, toneOfState } from '../logic/state.ts'
import { ObjectLink, Panel, State } from './parts.tsx'

/** No kind comes of more kinds than this, one below the other. */
const familyMax = 3

export function OwnerTree({ object }: { readonly object: AnyObject }) {
  const { resources } = useWorld()
  const owners = useOwners(object)
  const top = owners[0] ?? object
  const family = descendantKinds(kindKey(top)).slice(0, familyMax)
  const namespace = object.metadata.namespace ?? ''
  const resourceAt = (index: number): Resource | undefined => resources.find((of) => `${of.group}/${of.kind}` === family[index])
  const [first, second, third] = [useObjects(resourceAt(0), { namespace }), useObjects(resourceAt(1), { namespace }), useObjects(resourceAt(2), { namespace })]
  const tree = useMemo(
    () => ownerTree([...owners, object], [...(first.items ?? []), ...(second.items ?? []), ...(third.items ?? [])]),
    [owners, object, first.items, second.items, third.items],
  )
  if (tree === undefined || (tree.children.length === 0 && family.length === 0)) return null
  return (
    <Panel title="Owner tree">
      <ul class="tree"><Twig branch={tree} here={object.metadata.uid ?? ''} /></ul>
    </Panel>
  )
}

function Twig({ branch: { object, children }, here }: { readonly branch: Branch; readonly here: string }) {
  const { apiVersion = 'v1', kind = '', metadata } = object
  const { namespace = '', name = '' } = metadata
  const state = stateOf(object)
  const isHere = metadata.uid === here
  return (
    <li class={isSpent(object) ? 'spent' : ''}>
      <span class={`twig ${isHere ? 'here' : ''}`}>
        <span class="quiet kind">{kind}</span>
        {isHere ? <strong aria-current="true">{name}</strong> : <ObjectLink to={{ apiVersion, kind, namespace, name }}>{name}</ObjectLink>}
        {state !== undefined && <State text={state} tone={toneOfState(state)} />}
      </span>
      {children.length > 0 && <ul>{children.map((child) => <Twig key={child.object.metadata.uid} branch={child} here={here} />)}</ul>}
    </li>
  )
}

/** Owners from the topmost down. Who may not read an owner sees the tree from below it. */
function useOwners(object: AnyObject): readonly KubeObject[] {
  const { resources } = useWorld()
  const [owners, setOwners] = useState<readonly KubeObject[]>([])
  const key = `${object.metadata.uid} ${ownerOf(object)?.uid}`
  useEffect(() => {
    const life = new AbortController()
    climb(object, resources, life.signal).then(
      (found) => {
        if (!life.signal.aborted) setOwners(found)
      },
      () => undefined,
    )
    return () => life.abort()
  }, [key])
  return owners
}

async function climb(from: KubeObject, resources: readonly Resource[], signal: AbortSignal): Promise<readonly KubeObject[]> {
  const found: KubeObject[] = []
  let reference = ownerOf(from)
  while (reference !== undefined && found.length < depthMax) {
    const resource = resourceOf(resources, reference)
    if (resource === undefined) break
    const owner = await askJson<KubeObject>(apiPath(resource, from.metadata.namespace ?? '', reference.name), { signal }).catch(() => undefined)
    if (owner === undefined || owner.metadata.uid !== reference.uid) break
    found.unshift(owner)
    reference = ownerOf(owner)
  }
  return found
}
