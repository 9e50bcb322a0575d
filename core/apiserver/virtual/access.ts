/**
 * The four reviews of authorization.k8s.io: whether a user may do something, here or anywhere, and everything the sender
 * may do in a namespace. After k8s.io/kubernetes/pkg/registry/authorization and its validation.
 */
import { badRequest, invalid } from '../../api/errors.ts'
import { invalidValue, path, type FieldError, type Path } from '../../api/field.ts'
import type {
  LocalSubjectAccessReview,
  ObjectMeta,
  SelfSubjectRulesReview,
  SubjectAccessReview,
  SubjectAccessReviewSpec,
} from '../../api/schema/types.ts'
import type { Attributes, User } from '../../auth/user.ts'
import type { ApiServerDeps, Call, Outcome } from '../deps.ts'
import { readCreate } from './create.ts'
import { askedFields, askedLabels, selectorErrors, selectorProblem } from './selectors.ts'

const spec = path('spec')

export async function subjectAccessReview(deps: ApiServerDeps, call: Call): Promise<Outcome> {
  const { object } = await readCreate<SubjectAccessReview>(deps, call)
  refuse([...attributeErrors(object.spec), ...subjectErrors(object.spec), ...selectorErrors(object.spec.resourceAttributes), ...metadataErrors(object)])
  return await answer(deps, object, userOf(object.spec))
}

export async function selfSubjectAccessReview(deps: ApiServerDeps, call: Call): Promise<Outcome> {
  const { object } = await readCreate<SubjectAccessReview>(deps, call)
  refuse([...attributeErrors(object.spec), ...selectorErrors(object.spec.resourceAttributes), ...metadataErrors(object)])
  return await answer(deps, object, call.user)
}

export async function localSubjectAccessReview(deps: ApiServerDeps, call: Call): Promise<Outcome> {
  const { object } = await readCreate<LocalSubjectAccessReview>(deps, call)
  const { namespace } = call.info
  const errors = [...attributeErrors(object.spec), ...subjectErrors(object.spec), ...selectorErrors(object.spec.resourceAttributes), ...metadataErrors(object, namespace)]
  const asked = object.spec.resourceAttributes
  if (asked !== undefined && (asked.namespace ?? '') !== namespace) {
    errors.push(
      invalidValue(
        spec.child('resourceAttributes', 'namespace'),
        asked.namespace ?? '',
        'must match metadata.namespace',
      ),
    )
  }
  if (object.spec.nonResourceAttributes !== undefined) {
    errors.push(
      invalidValue(
        spec.child('nonResourceAttributes'),
        internalNames(object.spec.nonResourceAttributes),
        'disallowed on this kind of request',
      ),
    )
  }
  refuse(errors)
  return await answer(deps, { ...object, metadata: { ...object.metadata, namespace } }, userOf(object.spec))
}

export async function selfSubjectRulesReview(deps: ApiServerDeps, call: Call): Promise<Outcome> {
  const { object } = await readCreate<SelfSubjectRulesReview>(deps, call)
  const namespace = object.spec.namespace ?? ''
  if (namespace === '') throw badRequest('no namespace on request')
  const status = deps.rules?.rulesFor(call.user, namespace) ?? {
    resourceRules: [],
    nonResourceRules: [],
    incomplete: true,
    evaluationError: 'the authorizer does not tell its rules',
  }
  return {
    type: 'object',
    code: 201,
    object: { kind: object.kind, apiVersion: object.apiVersion, metadata: {}, spec: {}, status },
  }
}

async function answer(deps: ApiServerDeps, review: SubjectAccessReview | LocalSubjectAccessReview, user: User): Promise<Outcome> {
  const { asked, problems } = questionOf(review.spec, user)
  const decision = await deps.authorizer.authorize(asked)
  const errors = [...(decision.error === undefined ? [] : [decision.error]), ...problems]
  const status = {
    allowed: decision.answer === 'allow',
    ...(decision.answer === 'deny' ? { denied: true } : {}),
    ...(decision.reason === '' ? {} : { reason: decision.reason }),
    ...(errors.length === 0 ? {} : { evaluationError: errors.join('; ') }),
  }
  return { type: 'object', code: 201, object: { ...review, status } }
}

interface Question {
  readonly asked: Attributes
  /** What of it could not be understood. */
  readonly problems: readonly string[]
}

function questionOf(of: SubjectAccessReviewSpec, user: User): Question {
  const plain = of.nonResourceAttributes
  if (plain !== undefined) return { asked: { type: 'path', user, verb: plain.verb ?? '', path: plain.path ?? '' }, problems: [] }
  const asked = of.resourceAttributes ?? {}
  const fields = askedFields(asked.fieldSelector)
  const labels = askedLabels(asked.labelSelector)
  const problems = [...selectorProblem('fieldSelector', fields), ...selectorProblem('labelSelector', labels)]
  return {
    asked: {
      type: 'resource',
      user,
      verb: asked.verb ?? '',
      group: asked.group ?? '',
      version: asked.version === undefined || asked.version === '' ? '*' : asked.version,
      resource: asked.resource ?? '',
      subresource: asked.subresource ?? '',
      namespace: asked.namespace ?? '',
      name: asked.name ?? '',
      ...(fields.text === '' ? {} : { fieldSelector: fields.text }),
      ...(labels.text === '' ? {} : { labelSelector: labels.text }),
    },
    problems,
  }
}

function userOf(of: SubjectAccessReviewSpec): User {
  return {
    name: of.user ?? '',
    groups: of.groups ?? [],
    ...(of.uid === undefined ? {} : { uid: of.uid }),
    ...(of.extra === undefined ? {} : { extra: of.extra }),
  }
}

function attributeErrors(of: SubjectAccessReviewSpec): FieldError[] {
  const { resourceAttributes, nonResourceAttributes } = of
  const errors: FieldError[] = []
  if (resourceAttributes !== undefined && nonResourceAttributes !== undefined) {
    errors.push(only(spec.child('nonResourceAttributes'), internalNames(nonResourceAttributes), 'cannot be specified in combination with resourceAttributes'))
  }
  if (resourceAttributes === undefined && nonResourceAttributes === undefined) {
    errors.push(only(spec.child('resourceAttributes'), undefined, 'exactly one of nonResourceAttributes or resourceAttributes must be specified'))
  }
  return errors
}

/** Upstream prints its internal type here, whose fields have no JSON names. */
function internalNames(of: SubjectAccessReviewSpec['nonResourceAttributes']): object {
  return { Path: of?.path ?? '', Verb: of?.verb ?? '' }
}

function only(at: Path, value: unknown, detail: string): FieldError {
  return invalidValue(at, value ?? null, detail)
}

function subjectErrors(of: SubjectAccessReviewSpec): readonly FieldError[] {
  if ((of.user ?? '') !== '' || (of.groups ?? []).length > 0) return []
  return [invalidValue(spec.child('user'), of.user ?? '', 'at least one of user or group must be specified')]
}

/** Reviews have no name; upstream leaves managedFields out of account, and they are shown without. */
function metadataErrors({ metadata }: { readonly metadata?: ObjectMeta }, namespace?: string): readonly FieldError[] {
  const { managedFields: _managed, namespace: own, ...rest } = metadata ?? {}
  const isEmpty = Object.keys(rest).length === 0 && (namespace !== undefined || (own ?? '') === '')
  if (isEmpty) return []
  return [invalidValue(path('metadata'), metadata ?? null, namespace === undefined ? 'must be empty' : 'must be empty except for namespace')]
}

/** Upstream leaves the kind out of these errors. */
function refuse(errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalid({ group: 'authorization.k8s.io', kind: '' }, '', errors)
}
