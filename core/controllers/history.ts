/**
 * History of templates, kept as ControllerRevisions: what StatefulSets and DaemonSets have in common (upstream's
 * pkg/controller/history). A revision's data is a patch that puts its template back, and `kubectl rollout undo` sends it as
 * it is. Pure; who makes revisions, and what for, is the controllers' business.
 */
import { controllerRef, type KubeObject } from '../api/meta.ts'
import type { KindRef } from '../api/kind.ts'
import { mergeStrategically } from '../api/patch/strategic.ts'
import { definitionOf } from '../api/schema/schema.ts'
import type { ControllerRevision, PodTemplateSpec } from '../api/schema/types.ts'
import { cloneJson, equalJson } from '../lib/json.ts'
import { canonical, fnv32, safeEncode } from './hash.ts'

/** On pods: which revision they are of. On a DaemonSet's revisions: what is on their pods. */
export const revisionLabel = 'controller-revision-hash'

export type Revision = Readonly<ControllerRevision>
type Data = NonNullable<ControllerRevision['data']>

interface Templated extends KubeObject {
  spec?: { template?: PodTemplateSpec }
}

/** A patch that gives an object this one's template. Fields are in order: clients compare its bytes. */
export function templateData(object: Readonly<Templated>): Data {
  return JSON.parse(canonical({ spec: { template: { ...object.spec?.template, $patch: 'replace' } } })) as Data
}

export const sameData = (a: Revision, b: { readonly data?: unknown }): boolean => equalJson(a.data, b.data)

/** The object as it would be with the revision's data. */
export function restored<T extends KubeObject>(kind: KindRef<T>, object: Readonly<T>, revision: Revision): T {
  return mergeStrategically(object as unknown as Record<string, unknown>, cloneJson(revision.data ?? {}), definitionOf(kind.group, kind.version, kind.kind)).merged as unknown as T
}

export type Content = Pick<ControllerRevision, 'revision'> & { readonly data: Data }

/** The revision with this content, to be made for the owner of the template; `labels` come to those of its pods. */
export function draftRevision(
  owner: Readonly<Templated>, kind: KindRef, { name, labels }: { readonly name: string; readonly labels: Readonly<Record<string, string>> }, content: Content,
): ControllerRevision {
  const { namespace = '', annotations } = owner.metadata
  return {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      name,
      namespace,
      labels: { ...owner.spec?.template?.metadata?.labels, ...labels },
      ...(annotations === undefined ? {} : { annotations: { ...annotations } }),
      ownerReferences: [controllerRef(owner, kind)],
    },
    ...content,
  }
}

/** Oldest first. */
export function inOrder(revisions: readonly Revision[]): Revision[] {
  return revisions.toSorted((a, b) => a.revision - b.revision || byText(a.metadata.creationTimestamp, b.metadata.creationTimestamp) || byText(a.metadata.name, b.metadata.name))
}

function byText(a = '', b = ''): number {
  return a === b ? 0 : a < b ? -1 : 1
}

export const maxRevision = (revisions: readonly Revision[]): number => revisions.reduce((max, { revision }) => Math.max(max, revision), 0)

/** Upstream's hash of a revision's data, byte for byte: a cluster that moves finds its revisions again. */
export function dataHash(data: Data, collisions: number): string {
  const json = canonical(data).replaceAll(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
  return safeEncode(String(fnv32(json + String(collisions))))
}

const prefixBytesMax = 223

export const revisionName = (owner: string, hash: string): string => `${owner.slice(0, prefixBytesMax)}-${hash}`
