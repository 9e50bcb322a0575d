/**
 * Serves custom kinds: follows the CustomResourceDefinitions in the order in which they are written, and keeps the
 * registry in step with them. A definition that is Established is served before whoever established it has its answer;
 * a change of what it describes ends the watches of its kinds, as upstream's new storage does; its status alone does not.
 */
import { isEstablished, isTerminating } from '../api/apiextensions/conditions.ts'
import { customKinds, storageKind } from '../api/apiextensions/customkinds.ts'
import { customResourceDefinitions } from '../api/apiextensions/customresourcedefinition.ts'
import { kindId, type Kind, type RemoteConversion } from '../api/kind.ts'
import { kinds as builtIn } from '../api/kinds.ts'
import { isBeingDeleted } from '../api/meta.ts'
import type { CustomResourceDefinition, CustomResourceDefinitionNames } from '../api/schema/types.ts'
import type { Changes } from '../auth/lookup.ts'
import type { Ctx } from '../lib/ctx.ts'
import type { Timer } from '../lib/clock.ts'
import { equalJson } from '../lib/json.ts'
import { errorPath } from '../lib/log.ts'
import type { OpenRegistry } from '../registry/open.ts'

type Definition = Readonly<CustomResourceDefinition>

export interface CustomsInit {
  readonly registry: OpenRegistry
  readonly changes: Changes
  /** Asks the conversion webhook of a definition that has one. */
  readonly conversion: (crd: Definition) => RemoteConversion
}

export interface Customs {
  /** Calls back soon after kinds have come or gone, once for many of them. */
  onKinds(tell: () => void): void
  stop(): void
}

interface Served {
  readonly uid: string
  readonly generation: number
  readonly spec: Definition['spec']
  readonly names: CustomResourceDefinitionNames | undefined
  readonly terminating: boolean
  readonly kinds: readonly Kind[]
}

const builtInPrefixes: ReadonlySet<string> = new Set(builtIn.map(({ prefix }) => prefix))

/** Who follows all kinds hears of those that came together once. */
const tellMs = 50
/** Between two times: each looks at all kinds there are, and of those there may be thousands. */
const restMs = 200

/** Serves what is established already before it returns. */
export function serveCustomKinds(ctx: Ctx, init: CustomsInit): Customs {
  const served = new Map<string, Served>()
  const followers = new Set<() => void>()
  let timer: Timer | undefined
  let told = Number.NEGATIVE_INFINITY
  const tell = (): void => {
    timer ??= ctx.clock.after(Math.max(tellMs, told + restMs - ctx.clock.monotonic()), () => {
      timer = undefined
      told = ctx.clock.monotonic()
      for (const follower of followers) follower()
    })
  }
  const { registry } = init
  const apply = (name: string, prev: Served | undefined, next: Served | undefined): void => {
    if (next === undefined) served.delete(name)
    else served.set(name, next)
    const stays = new Set(next?.kinds.map(kindId))
    for (const kind of prev?.kinds ?? []) if (!stays.has(kindId(kind))) registry.removeKind(kind)
    const keepWatches = sameKinds(prev, next)
    for (const kind of next?.kinds ?? []) registry.addKind(kind, { keepWatches })
    tell()
  }
  const following = init.changes.follow(customResourceDefinitions, ({ type, object }) => {
    const name = object.metadata.name ?? ''
    const prev = served.get(name)
    if (type === 'delete' || !isEstablished(object)) {
      if (prev !== undefined) apply(name, prev, undefined)
      return
    }
    if (prev !== undefined && isSame(prev, object)) {
      if (prev.terminating !== isTerminating(object)) apply(name, prev, marked(prev, isTerminating(object)))
      return
    }
    try {
      apply(name, prev, describe(init, object))
    } catch (error) {
      // What validation let through and cannot be served: nobody else is to suffer from it.
      ctx.log.error('a custom kind cannot be served', { name, error: errorPath(error) })
      if (prev !== undefined) apply(name, prev, undefined)
    }
  })
  return {
    onKinds: (follower) => void followers.add(follower),
    stop() {
      following.stop()
      timer?.stop()
    },
  }
}

/** A deletion counts in the generation, too, but what is described stays. */
function isSame(prev: Served, crd: Definition): boolean {
  if (prev.uid !== crd.metadata.uid || !equalJson(prev.names, crd.status?.acceptedNames)) return false
  if (prev.kinds.length === 0 && isBeingDeleted(crd)) return false
  return prev.generation === (crd.metadata.generation ?? 0) || equalJson(prev.spec, crd.spec)
}

function describe({ registry, conversion }: CustomsInit, crd: Definition): Served {
  const webhook = crd.spec.conversion?.strategy === 'Webhook'
  const means = webhook ? { convert: conversion(crd) } : {}
  const kinds = [...customKinds(crd, means)]
  // Nobody can ask for its objects, but whoever takes them away has to.
  if (kinds.length === 0 && isBeingDeleted(crd)) kinds.push(...[storageKind(crd, means)].filter((kind) => kind !== undefined))
  const made: Served = {
    uid: crd.metadata.uid ?? '',
    generation: crd.metadata.generation ?? 0,
    spec: crd.spec,
    names: crd.status?.acceptedNames,
    terminating: false,
    // A built-in kind of the same name goes first, as it does upstream; in no version may its objects be taken for custom ones.
    kinds: kinds.filter(({ group, version, plural, prefix }) => {
      const there = registry.kind(group, version, plural)
      return !builtInPrefixes.has(prefix) && (there === undefined || there.custom !== undefined)
    }),
  }
  return isTerminating(crd) ? marked(made, true) : made
}

function marked(served: Served, terminating: boolean): Served {
  return { ...served, terminating, kinds: served.kinds.map((kind) => (kind.custom === undefined ? kind : { ...kind, custom: { ...kind.custom, terminating } })) }
}

/** Only marked: what is watched looks as before. */
function sameKinds(prev: Served | undefined, next: Served | undefined): boolean {
  return prev !== undefined && next !== undefined && prev.uid === next.uid && prev.spec === next.spec && prev.names === next.names
}
