/**
 * What a kind is. A kind is described once, as a value of this type, and read by
 * everybody: registry, discovery, OpenAPI, Table printing, selectors, protobuf,
 * RBAC, dashboard. A CustomResourceDefinition builds the same value at run time.
 * The list of built-in kinds is kinds.ts; a kind's own file holds its rules.
 */
import type { FieldError } from './field.ts'
import { dns1123Subdomain, nameRule } from './names.ts'
import type { AnyObject, KubeObject } from './meta.ts'
import type { ObjectType } from './patch/mergetype.ts'
import type { CustomKind } from './schema/openapi.ts'
import type { Decoded, DecodeOptions } from './schema/validate.ts'

/**
 * The object type of a kind that stands for any kind. `any`, because rules take the object as a parameter:
 * a Kind<Pod> must pass where the generic machinery, which never looks inside, wants "some kind".
 */
// oxlint-disable-next-line typescript/no-explicit-any
export type Whatever = any

/** Enough of a kind to address it: what clients need. */
export interface KindRef<T extends KubeObject = Whatever> {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly plural: string
  readonly namespaced: boolean
  /** Carries T for the compiler; never set. */
  readonly shape?: T
}

export type Verb = 'create' | 'delete' | 'deletecollection' | 'get' | 'list' | 'patch' | 'update' | 'watch'

const allVerbs: readonly Verb[] = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']

/** What rules may look at besides the object: handed in, so that they stay pure. */
export interface RuleEnv {
  /** Milliseconds since the epoch. */
  readonly now: number
  /** The user who asks; '' for the system itself. */
  readonly user: string
  /** What else is known of the user: kinds that note who asked (certificate requests) keep it. */
  readonly uid?: string
  readonly groups?: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

/** How writes of one kind behave beyond what all kinds share. Every part is optional; objects are the server's own copies and may be changed in place. */
export interface Strategy<T extends KubeObject> {
  /** Turns forms that are for writing only into those that are kept; before defaults, and before anybody asks who owns what. */
  readonly unfold?: (object: T) => void
  /** Before validation of a create: what a client may not set is removed (status), what the server sets is set. */
  readonly prepareCreate?: (object: T, env: RuleEnv) => void
  /** Before validation of an update: what this endpoint may not change is carried over from `prev`. Generation is kept by `generation` below. */
  readonly prepareUpdate?: (next: T, prev: Readonly<T>, env: RuleEnv) => void
  readonly validateCreate?: (object: Readonly<T>, env: RuleEnv) => readonly FieldError[]
  readonly validateUpdate?: (next: Readonly<T>, prev: Readonly<T>, env: RuleEnv) => readonly FieldError[]
  /** Marks an object whose deletion is asked for, in place of the usual mark: it stays until its finalizers are gone, whatever else was asked. */
  readonly markDeleted?: (object: T, env: RuleEnv) => void
  /** Warnings for the client (Warning headers). */
  readonly warnings?: (next: Readonly<T>, prev: Readonly<T> | undefined) => readonly string[]
}

export interface StatusRules<T extends KubeObject> {
  /** Writes to /status keep everything but status from `prev` (the registry does that); this adds to it. */
  readonly prepareUpdate?: (next: T, prev: Readonly<T>, env: RuleEnv) => void
  readonly validateUpdate?: (next: Readonly<T>, prev: Readonly<T>, env: RuleEnv) => readonly FieldError[]
  readonly warnings?: (next: Readonly<T>, prev: Readonly<T>) => readonly string[]
}

/** Where autoscaling/v1 Scale reads and writes, as dotted paths in the object. */
export interface ScaleRules {
  readonly specReplicas: string
  readonly statusReplicas: string
  /** A LabelSelector object, a label map, or a string in selector syntax. */
  readonly selector?: string
}

/** A column of `kubectl get`; names, order, priority as upstream's printers (k8s.io/kubernetes/pkg/printers/internalversion). */
export interface Column<T extends KubeObject> {
  readonly name: string
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date'
  readonly format?: string
  readonly description?: string
  /** 0 is shown always, 1 with -o wide. */
  readonly priority?: number
  readonly value: (object: Readonly<T>, now: number) => string | number | boolean | null
}

/** Objects that are stored in another version or group's shape (autoscaling/v1, events.k8s.io/v1). */
export interface Conversion<T extends KubeObject> {
  readonly toStored: (object: T) => AnyObject
  readonly fromStored: (object: Readonly<AnyObject>) => T
}

/** What a custom kind has where a built-in one has its definition in the generated table. */
export interface CustomRules {
  /** As OpenAPI publishes it. */
  readonly published: CustomKind
  /** For server-side apply and the ownership of fields. */
  readonly type: ObjectType
  /** Takes what a client sent: looks at metadata, drops fields that the schema does not know (or names them, as asked). `value` becomes the callee's. */
  readonly decode: (value: unknown, options: DecodeOptions) => Decoded<AnyObject>
  /** Version in which objects of this group and kind are stored. */
  readonly storageVersion: string
  /** Its definition goes: nothing is created any more. Whoever serves it sets this. */
  readonly terminating?: boolean
}

/** Conversion between versions that a webhook makes: objects in, the same objects in `apiVersion` out, in order. Throws ApiError. */
export type RemoteConversion = (objects: readonly Readonly<AnyObject>[], apiVersion: string, signal: AbortSignal) => Promise<readonly AnyObject[]>

export interface Kind<T extends KubeObject = Whatever> extends KindRef<T> {
  readonly singular: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly verbs: readonly Verb[]
  /** First part of its keys in the store: `${prefix}/${namespace}/${name}`. Kinds that share stored objects share it. */
  readonly prefix: string
  readonly conversion?: Conversion<T>
  /** Said to everybody who uses the kind: what to use instead. */
  readonly deprecation?: string
  /** False for kinds that are only computed (reviews): they have no storage, and their verbs live in apiserver/virtual. */
  readonly stored: boolean
  readonly listKind: string
  /** Which change raises metadata.generation: 'spec' (any field but metadata and status), or none. */
  readonly generation: 'spec' | 'none'
  /** Checks metadata.name: upstream's sentences for what is wrong with it. */
  readonly validateName: (name: string, prefix: boolean) => readonly string[]
  readonly strategy: Strategy<T>
  /** Has a /status subresource: what a client says of status at creation, and in writes to the object itself, counts for nothing. */
  readonly status?: StatusRules<T>
  /** Rules for writes to other subresources that are parts of the object (ephemeralcontainers, resize, approval, finalize). */
  readonly parts?: Readonly<Record<string, StatusRules<T>>>
  readonly scale?: ScaleRules
  /** Other subresources by name (binding, eviction, token, log, exec, approval, ...): served by apiserver code of that name. */
  readonly subresources: readonly string[]
  /** A PUT of a name that is not there creates it. */
  readonly createOnUpdate: boolean
  /** A PUT without resourceVersion is taken as it is (upstream's AllowUnconditionalUpdate). */
  readonly unconditionalUpdate: boolean
  /** Seconds of grace that a deletion of this object gets when the client asked for `asked` (undefined: nothing asked); undefined: the kind knows no graceful deletion. */
  readonly graceS?: (object: Readonly<T>, asked: number | undefined) => number
  /** Default of propagationPolicy when nothing is asked: upstream's legacy kinds orphan. */
  readonly orphansByDefault: boolean
  /** `name`, `age` where a kind names none. */
  readonly columns: readonly Column<T>[]
  /** Order of the rows of a list printed as a Table, where it is not that of names. */
  readonly rowOrder?: (a: Readonly<T>, b: Readonly<T>) => number
  /** Field selectors besides metadata.name and metadata.namespace. */
  readonly selectableFields: Readonly<Record<string, (object: Readonly<T>) => string>>
  /** Fills defaults in place; the schema's own table of defaults unless the kind is a custom one. */
  readonly applyDefaults?: (object: T) => void
  /** Custom kinds only. */
  readonly custom?: CustomRules
  /**
   * Asked for what is stored in another version than this one's. Shapes are its business then: `conversion.fromStored` gets what
   * is in this kind's version already, `conversion.toStored` what is in the storage version already; they prune and default.
   */
  readonly remote?: RemoteConversion
  /** Milliseconds after which objects end by themselves (events), if they do. */
  readonly ttlMs?: number
}

export type KindInit<T extends KubeObject> = Pick<Kind<T>, 'group' | 'version' | 'kind' | 'plural' | 'namespaced'> & Partial<Kind<T>>

/** Completes a description with what most kinds do. */
export function defineKind<T extends KubeObject>(init: KindInit<T>): Kind<T> {
  return Object.freeze({
    singular: init.kind.toLowerCase(),
    shortNames: [],
    categories: [],
    verbs: allVerbs,
    prefix: init.group === '' ? init.plural : `${init.group}/${init.plural}`,
    stored: true,
    listKind: `${init.kind}List`,
    generation: 'none',
    validateName: defaultNameRule,
    strategy: {},
    subresources: [],
    createOnUpdate: false,
    unconditionalUpdate: true,
    orphansByDefault: false,
    columns: defaultColumns,
    selectableFields: {},
    ...init,
  } satisfies Kind<T>) as Kind<T>
}

/** Upstream's DNS-1123 subdomain rule, which most kinds use for names. */
export const defaultNameRule = nameRule(dns1123Subdomain)

/** What kinds without columns of their own show. */
const defaultColumns: readonly Column<KubeObject>[] = [
  { name: 'Name', type: 'string', format: 'name', value: (o) => o.metadata.name ?? '' },
  { name: 'Created At', type: 'date', value: (o) => o.metadata.creationTimestamp ?? null },
]

/** `apps/v1/Deployment`-like name of a kind for logs and maps: `${group}/${version}/${plural}`. */
export function kindId(ref: Pick<KindRef, 'group' | 'version' | 'plural'>): string {
  return `${ref.group}/${ref.version}/${ref.plural}`
}
