/**
 * The API's errors, with the sentences that kubectl and client-go match, word for
 * word upstream's (k8s.io/apimachinery/pkg/api/errors). Messages of this sort are
 * made here and in field.ts, nowhere else.
 */
import type { FieldError } from './field.ts'

export type Reason =
  | 'BadRequest' | 'Unauthorized' | 'Forbidden' | 'NotFound' | 'AlreadyExists' | 'Conflict' | 'Gone' | 'Expired' | 'Invalid'
  | 'MethodNotAllowed' | 'NotAcceptable' | 'UnsupportedMediaType' | 'RequestEntityTooLarge' | 'TooManyRequests'
  | 'Timeout' | 'ServerTimeout' | 'InternalError' | 'ServiceUnavailable' | 'StorageReadError' | ''

export interface StatusCause {
  readonly reason?: string
  readonly message?: string
  readonly field?: string
}

export interface StatusDetails {
  readonly name?: string
  readonly group?: string
  readonly kind?: string
  readonly uid?: string
  readonly causes?: readonly StatusCause[]
  readonly retryAfterSeconds?: number
}

/** metav1.Status as JSON. */
export interface Status {
  readonly kind: 'Status'
  readonly apiVersion: 'v1'
  readonly metadata: { readonly continue?: string }
  readonly status: 'Failure' | 'Success'
  readonly message?: string
  readonly reason?: string
  readonly details?: StatusDetails
  readonly code?: number
}

export interface ApiErrorInit {
  readonly code: number
  readonly reason: Reason
  readonly message: string
  readonly details?: StatusDetails
  /** With which a list that expired may go on, inconsistently. */
  readonly continue?: string
}

/** Thrown (or returned) wherever an API request ends other than well; `status()` is what goes over the wire. */
export class ApiError extends Error {
  readonly code: number
  readonly reason: Reason
  readonly details: StatusDetails | undefined
  readonly continue: string | undefined

  constructor(init: ApiErrorInit) {
    super(init.message)
    this.name = 'ApiError'
    this.code = init.code
    this.reason = init.reason
    this.details = init.details
    this.continue = init.continue
  }

  status(): Status {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: this.continue === undefined ? {} : { continue: this.continue },
      status: 'Failure',
      message: this.message,
      ...(this.reason === '' ? {} : { reason: this.reason }),
      ...(this.details === undefined ? {} : { details: this.details }),
      code: this.code,
    }
  }

  static from(status: Partial<Status>): ApiError {
    return new ApiError({
      code: status.code ?? 500,
      reason: (status.reason ?? '') as Reason,
      message: status.message ?? 'unknown',
      ...(status.details === undefined ? {} : { details: status.details }),
      ...(status.metadata?.continue === undefined ? {} : { continue: status.metadata.continue }),
    })
  }
}

/** Whether the error is an API error, with this reason where one is given. */
export function isApiError(error: unknown, reason?: Reason): error is ApiError {
  return error instanceof ApiError && (reason === undefined || error.reason === reason)
}

/** What an error is about: the group and the plural resource name ("deployments") as upstream's GroupResource. */
export interface GroupResource {
  readonly group: string
  readonly resource: string
}

/** `deployments.apps`, or `pods` in the core group. */
export function qualified(gr: GroupResource): string {
  return gr.group === '' ? gr.resource : `${gr.resource}.${gr.group}`
}

const about = (gr: GroupResource, name: string): StatusDetails => ({
  ...(name === '' ? {} : { name }),
  ...(gr.group === '' ? {} : { group: gr.group }),
  ...(gr.resource === '' ? {} : { kind: gr.resource }),
})

export function notFound(gr: GroupResource, name: string): ApiError {
  return new ApiError({ code: 404, reason: 'NotFound', message: `${qualified(gr)} "${name}" not found`, details: about(gr, name) })
}

export function alreadyExists(gr: GroupResource, name: string): ApiError {
  return new ApiError({ code: 409, reason: 'AlreadyExists', message: `${qualified(gr)} "${name}" already exists`, details: about(gr, name) })
}

export function generateNameConflict(gr: GroupResource, name: string, retryAfterSeconds: number): ApiError {
  const message = `${qualified(gr)} "${name}" already exists, the server was not able to generate a unique name for the object`
  return new ApiError({ code: 409, reason: 'AlreadyExists', message, details: { ...about(gr, name), retryAfterSeconds } })
}

export function conflict(gr: GroupResource, name: string, cause: string): ApiError {
  const message = `Operation cannot be fulfilled on ${qualified(gr)} "${name}": ${cause}`
  return new ApiError({ code: 409, reason: 'Conflict', message, details: about(gr, name) })
}

/** The cause of a write that carried an old resourceVersion. */
export const modifiedCause = 'the object has been modified; please apply your changes to the latest version and try again'

export function forbidden(gr: GroupResource, name: string, cause: string): ApiError {
  const subject = gr.resource === '' ? 'forbidden' : name === '' ? `${qualified(gr)} is forbidden` : `${qualified(gr)} "${name}" is forbidden`
  return new ApiError({ code: 403, reason: 'Forbidden', message: `${subject}: ${cause}`, details: about(gr, name) })
}

export function unauthorized(message = 'Unauthorized'): ApiError {
  return new ApiError({ code: 401, reason: 'Unauthorized', message })
}

export function badRequest(message: string): ApiError {
  return new ApiError({ code: 400, reason: 'BadRequest', message })
}

/** `gk` names the kind, not the resource: `Deployment.apps "web" is invalid: ...`. */
export function invalid(gk: { readonly group: string; readonly kind: string }, name: string, errors: readonly FieldError[]): ApiError {
  // Upstream's aggregates say a thing once.
  const sentences = [...new Set(errors.map((e) => e.message()))]
  const text = sentences.length === 1 ? sentences[0] : `[${sentences.join(', ')}]`
  const kind = gk.group === '' ? gk.kind : `${gk.kind}.${gk.group}`
  return new ApiError({
    code: 422,
    reason: 'Invalid',
    message: `${kind} "${name}" is invalid: ${text}`,
    details: {
      ...(name === '' ? {} : { name }),
      ...(gk.group === '' ? {} : { group: gk.group }),
      ...(gk.kind === '' ? {} : { kind: gk.kind }),
      causes: errors.map((e) => ({ reason: e.type, message: e.detailMessage(), field: e.field })),
    },
  })
}

/** 410 for a resourceVersion or continue token that is too old. */
export function expired(message: string): ApiError {
  return new ApiError({ code: 410, reason: 'Expired', message })
}

export function gone(message: string): ApiError {
  return new ApiError({ code: 410, reason: 'Gone', message })
}

export function notAcceptable(message: string): ApiError {
  return new ApiError({ code: 406, reason: 'NotAcceptable', message })
}

export function unsupportedMediaType(message: string): ApiError {
  return new ApiError({ code: 415, reason: 'UnsupportedMediaType', message })
}

export function requestEntityTooLarge(message: string): ApiError {
  return new ApiError({ code: 413, reason: 'RequestEntityTooLarge', message: `Request entity too large: ${message}` })
}

export function tooManyRequests(message: string, retryAfterSeconds: number): ApiError {
  return new ApiError({ code: 429, reason: 'TooManyRequests', message, details: { retryAfterSeconds } })
}

export function timeout(message: string, retryAfterSeconds = 0): ApiError {
  return new ApiError({ code: 504, reason: 'Timeout', message: `Timeout: ${message}`, details: retryAfterSeconds > 0 ? { retryAfterSeconds } : {} })
}

export function serviceUnavailable(message: string): ApiError {
  return new ApiError({ code: 503, reason: 'ServiceUnavailable', message })
}

export function internal(message: string): ApiError {
  return new ApiError({
    code: 500,
    reason: 'InternalError',
    message: `Internal error occurred: ${message}`,
    details: { causes: [{ message }] },
  })
}

/** A method that this resource has not, where it could have it. */
export function methodNotSupported(gr: GroupResource, verb: string): ApiError {
  return new ApiError({
    code: 405, reason: 'MethodNotAllowed', message: `${verb} is not supported on resources of kind ${JSON.stringify(qualified(gr))}`,
    details: { ...(gr.group === '' ? {} : { group: gr.group }), kind: gr.resource },
  })
}

/** What upstream answers for a path or verb it does not know. */
export function genericNotFound(): ApiError {
  return new ApiError({ code: 404, reason: 'NotFound', message: 'the server could not find the requested resource', details: {} })
}

/** Status of a delete that is complete. */
export function success(details?: StatusDetails): Status {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', ...(details === undefined ? {} : { details }) }
}
