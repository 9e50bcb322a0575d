/** Rules of ControllerRevisions: numbered, and their data never changes (k8s.io/kubernetes/pkg/apis/apps/validation/validation.go). */
import { immutable, nonNegative, type Errors } from '../checks.ts'
import { path, required } from '../field.ts'
import type { Strategy } from '../kind.ts'
import type { ControllerRevision } from '../schema/types.ts'

export const revisionStrategy: Strategy<ControllerRevision> = {
  validateCreate(object) {
    const errors: Errors = []
    nonNegative(errors, object.revision, path('revision'))
    const data: unknown = object.data
    if (data === undefined || data === null) errors.push(required(path('data'), 'data is mandatory'))
    else if (typeof data !== 'object' || Array.isArray(data)) errors.push(required(path('data'), 'data must be a valid JSON object'))
    return errors
  },
  validateUpdate(next, prev) {
    const errors: Errors = []
    nonNegative(errors, next.revision, path('revision'))
    immutable(errors, next.data, prev.data, path('data'))
    return errors
  },
}
