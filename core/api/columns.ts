/**
 * Cells that many kinds share, and the small constructors with which kinds
 * describe their columns; names, order and texts are upstream's
 * (k8s.io/kubernetes/pkg/printers/internalversion/printers.go).
 */
import { humanDuration, since } from './age.ts'
import type { Column } from './kind.ts'
import { controllerOf, type KubeObject } from './meta.ts'
import type { Container, LabelSelector } from './schema/types.ts'

type Cell<T extends KubeObject> = Column<T>['value']

/** A text column, shown always. */
export function text<T extends KubeObject>(name: string, value: Cell<T>, description = ''): Column<T> {
  return { name, type: 'string', value, ...(description === '' ? {} : { description }) }
}

/** A text column of -o wide. */
export function wide<T extends KubeObject>(name: string, value: Cell<T>, description = ''): Column<T> {
  return { ...text(name, value, description), priority: 1 }
}

export function integer<T extends KubeObject>(name: string, value: (object: Readonly<T>) => number | undefined): Column<T> {
  return { name, type: 'integer', value: (object) => value(object) ?? 0 }
}

export function flag<T extends KubeObject>(name: string, value: (object: Readonly<T>) => boolean | undefined): Column<T> {
  return { name, type: 'boolean', value: (object) => value(object) ?? false }
}

export const nameColumn: Column<KubeObject> = { name: 'Name', type: 'string', format: 'name', value: (o) => o.metadata.name ?? '' }

export const ageColumn: Column<KubeObject> = text('Age', (o, now) => since(o.metadata.creationTimestamp, now))

/** Containers, Images (and Selector) of a workload's template, for -o wide. */
export function templateColumns<T extends KubeObject>(containers: (object: Readonly<T>) => readonly Readonly<Container>[] | undefined): readonly Column<T>[] {
  return [
    wide('Containers', (o) => (containers(o) ?? []).map((c) => c.name).join(',')),
    wide('Images', (o) => (containers(o) ?? []).map((c) => c.image ?? '').join(',')),
  ]
}

export function selectorColumn<T extends KubeObject>(selector: (object: Readonly<T>) => Readonly<LabelSelector> | undefined): Column<T> {
  return wide('Selector', (o) => formatSelector(selector(o)))
}

/** A label map as `a=b,c=d`, sorted; `<none>` when empty. */
export function formatLabels(labels: Readonly<Record<string, string>> | undefined): string {
  const pairs = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`)
  return pairs.length === 0 ? '<none>' : pairs.sort().join(',')
}

/** A LabelSelector in selector syntax, as upstream's FormatLabelSelector. */
export function formatSelector(selector: Readonly<LabelSelector> | undefined): string {
  if (selector === undefined) return '<none>'
  const operators: Record<string, (key: string, values: string) => string> = {
    In: (key, values) => `${key} in (${values})`,
    NotIn: (key, values) => `${key} notin (${values})`,
    Exists: (key) => key,
    DoesNotExist: (key) => `!${key}`,
  }
  const parts = [
    ...Object.entries(selector.matchLabels ?? {}).map(([key, value]) => ({ key, shown: `${key}=${value}` })),
    ...(selector.matchExpressions ?? []).map((e) => ({
      key: e.key,
      shown: operators[e.operator]?.(e.key, [...(e.values ?? [])].sort().join(',')) ?? '<error>',
    })),
  ]
  if (parts.length === 0) return '<none>'
  return parts.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).map((p) => p.shown).join(',')
}

/** The first `max` items and how many more there are. */
export function listWithMore(items: readonly string[], max: number, empty: string): string {
  if (items.length === 0) return empty
  const shown = items.slice(0, max).join(',')
  return items.length > max ? `${shown} + ${items.length - max} more...` : shown
}

const accessModes: Readonly<Record<string, string>> = { ReadWriteOnce: 'RWO', ReadOnlyMany: 'ROX', ReadWriteMany: 'RWX', ReadWriteOncePod: 'RWOP' }

export function formatAccessModes(modes: readonly string[] | undefined): string {
  return Object.keys(accessModes).filter((mode) => modes?.includes(mode)).map((mode) => accessModes[mode]).join(',')
}

/** Addresses of a load balancer, cut to 16 characters as outside of -o wide. */
export function loadBalancerAddresses(status: { readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[] } | undefined): string {
  const all = [...new Set((status?.ingress ?? []).map((i) => i.ip ?? i.hostname ?? '').filter((a) => a !== ''))].sort().join(',')
  return all.length > loadBalancerWidth ? `${all.slice(0, loadBalancerWidth - 3)}...` : all
}

const loadBalancerWidth = 16

/** `deployment.apps/web` of the managing owner, or `<none>`. */
export function controllerName(object: Readonly<KubeObject>): string {
  const owner = controllerOf(object)
  if (owner === undefined) return '<none>'
  const group = owner.apiVersion.includes('/') ? `.${owner.apiVersion.split('/')[0]}` : ''
  return `${owner.kind.toLowerCase()}${group}/${owner.name}`
}

export function yesNo(value: boolean | undefined): string {
  return value === undefined ? '<unset>' : value ? 'True' : 'False'
}

export { humanDuration, since }
