/** What a validating policy says of a request (k8s.io/apiserver/pkg/admission/plugin/policy/validating/validator.go). */
import { PolicyCompiler } from '../../api/admissionregistration/policycompiler.ts'
import type { CompiledExpression } from '../../api/admissionregistration/expressions.ts'
import { bool, nullType, string } from '../../api/cel/type.ts'
import type { AuditAnnotation, ValidatingAdmissionPolicy, Validation } from '../../api/schema/types.ts'
import { bindingsOf, outOfBudget, type ExpressionInput } from '../expressions.ts'
import { resourceOf } from '../match.ts'
import { compileConditions, evaluateConditions, type Conditions } from '../webhook/conditions.ts'
import { exhausted, Run, type Result } from './run.ts'

export interface Validator {
  readonly variables: ReadonlyMap<string, CompiledExpression>
  readonly conditions: Conditions | undefined
  readonly validations: readonly { readonly written: Readonly<Validation>; readonly expression: CompiledExpression; readonly message: CompiledExpression | undefined }[]
  readonly annotations: readonly { readonly written: Readonly<AuditAnnotation>; readonly expression: CompiledExpression }[]
  readonly ignoresFailure: boolean
}

export interface Denial {
  /** Of the validation. */
  readonly index: number
  readonly message: string
  readonly reason: string
}

/** Text to be published; or why there is none, which denies the request. */
export type Annotation = { readonly key: string; readonly value: string } | { readonly error: string }

export interface Verdict {
  readonly denials: readonly Denial[]
  readonly annotations: readonly Annotation[]
}

const nothing: Verdict = { denials: [], annotations: [] }
/** Longer messages are not shown. */
const messageBytesMax = 5 * 1_024

export function compileValidator({ spec = {} }: Readonly<ValidatingAdmissionPolicy>): Validator {
  const params = spec.paramKind !== undefined
  const ignoresFailure = spec.failurePolicy === 'Ignore'
  const compiler = new PolicyCompiler({ params })
  for (const { name, expression } of spec.variables ?? []) compiler.variable(name, expression)
  return {
    variables: compiler.variables,
    conditions: compileConditions(spec.matchConditions ?? [], { ignoresFailure, params }),
    validations: (spec.validations ?? []).map((written) => ({
      written,
      expression: compiler.compile(written.expression, [bool]),
      message: (written.messageExpression ?? '') === '' ? undefined : compiler.compile(written.messageExpression ?? '', [string], { authorizer: false }),
    })),
    annotations: (spec.auditAnnotations ?? []).map((written) => ({ written, expression: compiler.compile(written.valueExpression, [string, nullType]) })),
    ignoresFailure,
  }
}

export async function judge(validator: Validator, input: ExpressionInput): Promise<Verdict> {
  const { ignoresFailure, conditions } = validator
  const failed = (message: string): Verdict => (ignoresFailure ? nothing : { denials: [{ index: 0, message, reason: '' }], annotations: [] })
  if (conditions !== undefined) {
    const { namespace: _namespace, ...bare } = input
    const holds = await evaluateConditions(conditions, { ...bare, match: { ...input.match, resource: resourceOf(input.request.kind) } })
    if (typeof holds === 'string') return failed(holds)
    if (!holds) return nothing
  }
  const run = new Run(bindingsOf(input), validator.variables)
  const results = await all(run, validator.validations.map(({ expression, written }) => ({ expression, text: written.expression })))
  if (results === exhausted) return failed(outOfBudget)
  const messages = await messagesOf(validator, input, run.left)
  const denials = results.flatMap((result, index) => denial(validator, { result, index, messages }) ?? [])
  const annotations = await annotate(validator, input)
  return annotations === exhausted ? failed(outOfBudget) : { denials, annotations }
}

async function all(run: Run, expressions: readonly { readonly expression: CompiledExpression; readonly text: string }[]): Promise<readonly Result[] | typeof exhausted> {
  const results: Result[] = []
  for (const { expression, text } of expressions) {
    const result = await run.evaluate(expression, text)
    if (result === exhausted) return exhausted
    results.push(result)
  }
  return results
}

type Messages = readonly (Result | undefined)[] | typeof exhausted

/** Evaluated for validations that hold, too, as upstream does: they share what the validations left of the budget. */
async function messagesOf({ validations, variables }: Validator, input: ExpressionInput, budget: number): Promise<Messages> {
  const run = new Run(bindingsOf(withoutAuthorizer(input)), variables, budget)
  const messages: (Result | undefined)[] = []
  for (const { message, written } of validations) {
    const result = message === undefined ? undefined : await run.evaluate(message, written.messageExpression ?? '')
    if (result === exhausted) return exhausted
    messages.push(result)
  }
  return messages
}

function denial({ validations, ignoresFailure }: Validator, { result, index, messages }: { readonly result: Result; readonly index: number; readonly messages: Messages }): Denial | undefined {
  const failed = 'error' in result ? result.error : messages === exhausted ? `failed messageExpression: ${outOfBudget}` : undefined
  if (failed !== undefined) return ignoresFailure ? undefined : { index, message: failed, reason: '' }
  if ('error' in result || result.value === true) return undefined
  const written = validations[index]?.written
  const said = messages === exhausted ? undefined : messages[index]
  const computed = said === undefined || 'error' in said ? '' : shown(said.value)
  const message = computed || (written?.message ?? '').trim() || `failed expression: ${(written?.expression ?? '').trim()}`
  return { index, message, reason: written?.reason ?? 'Invalid' }
}

/** Empty: not fit to be shown. */
function shown(value: unknown): string {
  const text = typeof value === 'string' ? value.trim() : ''
  return text.includes('\n') || new TextEncoder().encode(text).length > messageBytesMax ? '' : text
}

function withoutAuthorizer({ decider: _decider, ...input }: ExpressionInput): ExpressionInput {
  return input
}

async function annotate(validator: Validator, input: ExpressionInput): Promise<readonly Annotation[] | typeof exhausted> {
  const run = new Run(bindingsOf(withoutAuthorizer(input)), validator.variables)
  const results = await all(run, validator.annotations.map(({ expression, written }) => ({ expression, text: written.valueExpression })))
  if (results === exhausted) return exhausted
  return results.flatMap((result, i): readonly Annotation[] => {
    const key = validator.annotations[i]?.written.key ?? ''
    if ('error' in result) return validator.ignoresFailure ? [] : [result]
    const value = typeof result.value === 'string' ? result.value.trim() : ''
    return value === '' ? [] : [{ key, value }]
  })
}
