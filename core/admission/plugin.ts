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
  readonly kind: Kind
  /** '' for the object itself. */
  readonly subresource: string
  readonly namespace: string
  /** '' on create with generateName (filled once the name is made). */
  readonly name: string
  /** The object to be written (for a subresource such as binding its own body); the plugin may change it in mutate(). Undefined on delete. */
  readonly object: AnyObject | undefined
  /** What stands there now: on update and delete. */
  readonly oldObject: Readonly<AnyObject> | undefined
  /** CreateOptions, UpdateOptions, PatchOptions or DeleteOptions. */
  readonly options: Readonly<Record<string, unknown>>
  readonly dryRun: boolean
  readonly user: User
  /** Adds a Warning header to the answer. */
  readonly warn: (text: string) => void
}

export interface AdmissionPlugin {
  /** Upstream's name of the plugin. */
  readonly name: string
  readonly handles: (request: AdmissionRequest) => boolean
  readonly mutate?: (ctx: Ctx, request: AdmissionRequest) => Promise<ApiError | undefined>
  readonly validate?: (ctx: Ctx, request: AdmissionRequest) => Promise<ApiError | undefined>
}
