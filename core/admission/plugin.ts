/**
 * What an admission plugin is: sees a write after authorization and before
 * storage, may change it (mutate), then may refuse it (validate). A refusal is a
 * value: the ApiError to answer with. The order of plugins is chain.ts.
 */
import type { Ctx } from '../lib/ctx.ts'
import type { AnyObject } from '../api/meta.ts'
import type { Kind } from '../api/kind.ts'
import type { ApiError } from '../api/errors.ts'
import type { User } from '../auth/user.ts'

export interface AdmissionRequest {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'
  /** As authorization knows it: an update may come as a patch. */
  readonly verb?: string
  readonly kind: Kind
  /** '' for the object itself. */
  readonly subresource: string
  readonly namespace: string
  /** '' on create with generateName (filled once the name is made). */
  readonly name: string
  /**
   * The object to be written, for a subresource such as binding its own body, for a connection its options; the plugin may
   * change it in mutate(). Undefined on delete.
   */
  readonly object: AnyObject | undefined
  /** What `object` and `oldObject` are where they are not `kind`: Binding, Scale, PodExecOptions. */
  readonly objectKind?: GroupVersionKind
  /** What stands there now: on update and delete. */
  readonly oldObject: Readonly<AnyObject> | undefined
  /** CreateOptions, UpdateOptions, PatchOptions or DeleteOptions. */
  readonly options: Readonly<Record<string, unknown>>
  readonly dryRun: boolean
  readonly user: User
  /** Adds a Warning header to the answer. */
  readonly warn: (text: string) => void
  /** Notes something for the audit log; `level`: the least level at which it may be shown. */
  readonly annotate?: (key: string, value: string, level?: 'Metadata' | 'Request') => void
  /** What is to be taken back should the write fail after all. */
  readonly onFailure?: (undo: () => void) => void
  /** There once a plugin that ends a round has changed the object (runMutate). */
  reinvocation?: Reinvocation
}

export interface GroupVersionKind {
  readonly group: string
  readonly version: string
  readonly kind: string
}

/** Mutating plugins see the object once more when what came after them changed it. */
export interface Reinvocation {
  /** Set by plugins that want another round. */
  wanted: boolean
  /** This is the other round. */
  again: boolean
  /** What plugins remember from the first round, by their names. */
  readonly memory: Map<string, unknown>
}

export interface AdmissionPlugin {
  /** Upstream's name of the plugin. */
  readonly name: string
  readonly handles: (request: AdmissionRequest) => boolean
  readonly mutate?: (ctx: Ctx, request: AdmissionRequest) => Promise<ApiError | undefined>
  readonly validate?: (ctx: Ctx, request: AdmissionRequest) => Promise<ApiError | undefined>
  /** After it, the plugins up to it run once more when one of them asked for that (reinvocation). */
  readonly endsRound?: true
}
