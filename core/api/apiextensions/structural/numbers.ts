/** Limits of numbers: bounds, multiples, and what fits the type (kube-openapi/pkg/validation/validate/values.go). */
import { goFloat } from '../../float.ts'
import type { JSONSchemaProps } from '../../schema/types.ts'
import { type Findings, other, whole } from './findings.ts'
import { isInt64 } from './json.ts'
import type { Place } from './values.ts'

export interface NumberLimits {
  readonly multipleOf: number | undefined
  readonly maximum: number | undefined
  readonly minimum: number | undefined
  readonly below: boolean
  readonly above: boolean
  /** integer or number; '' where the schema has no one type. */
  readonly type: string
  readonly format: string
}

export function numberLimitsOf(schema: Readonly<JSONSchemaProps>, types: readonly string[], format: string): NumberLimits {
  const [type = ''] = types.length === 1 && (types[0] === 'integer' || types[0] === 'number') ? types : []
  const { multipleOf, maximum, minimum } = schema
  return { multipleOf, maximum, minimum, below: schema.exclusiveMaximum === true, above: schema.exclusiveMinimum === true, type, format: type === '' ? '' : format }
}

export function checkNumber(limits: NumberLimits, value: number, at: Place, out: Findings): void {
  fits(limits, value, 'Checked', at, out)
  const { multipleOf, minimum, maximum } = limits
  if (multipleOf !== undefined) checkMultiple(multipleOf, fits(limits, multipleOf, 'MultipleOf', at, out) && isInt64(value), value, at, out)
  if (minimum !== undefined) {
    const bound = fits(limits, minimum, 'Minimum boundary', at, out) && isInt64(value) ? whole64(minimum) : { is: minimum, text: goFloat(minimum) }
    const { above } = limits
    if (above ? value <= bound.is : value < bound.is) out.add(other(at.text, `should be greater than ${above ? '' : 'or equal to '}${bound.text}`, value))
  }
  if (maximum !== undefined) {
    const bound = fits(limits, maximum, 'Maximum boundary', at, out) && isInt64(value) ? whole64(maximum) : { is: maximum, text: goFloat(maximum) }
    const { below } = limits
    if (below ? value >= bound.is : value > bound.is) out.add(other(at.text, `should be less than ${below ? '' : 'or equal to '}${bound.text}`, value))
  }
  out.matches += 2
}

/** Whole values are compared with whole bounds. */
function whole64(bound: number): { readonly is: number; readonly text: string } {
  const is = Math.trunc(bound)
  return { is, text: String(is) }
}

function checkMultiple(multipleOf: number, integral: boolean, value: number, at: Place, out: Findings): void {
  const factor = integral ? Math.trunc(multipleOf) : multipleOf
  const text = integral ? String(factor) : goFloat(factor)
  if (factor <= 0) return out.add({ code: 'other', name: at.text, value: factor, message: `factor MultipleOf declared for ${at.text} must be positive: ${text}` })
  const good = integral ? value % factor === 0 : isWhole(factor < 1 ? (1 / factor) * value : value / factor)
  if (!good) out.add(other(at.text, `should be a multiple of ${text}`, value))
}

/** Whether a number can be one of the schema's type and format. */
function fits({ type, format }: NumberLimits, value: number, what: string, at: Place, out: Findings): boolean {
  const good = type === 'integer' ? (format === 'int32' ? Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 31 : isInt64(value)) : format !== 'float' || Math.abs(value) <= float32Max
  if (!good) out.add(whole(`${what} value must be of type ${type} ${format === '' ? '(default format)' : `with format ${format}`} in ${at.text}`))
  return good
}

const float32Max = 3.4028235677973366e38

/** Whether a float stands for a whole number, with some tolerance (swag.IsFloat64AJSONInteger). */
export function isWhole(value: number): boolean {
  if (!Number.isFinite(value) || Math.abs(value) > Number.MAX_SAFE_INTEGER) return false
  const near = Math.trunc(value)
  if (value === near) return true
  if (near === 0) return false
  return Math.abs(value - near) / (Math.abs(value) + Math.abs(near)) < tolerance
}

const tolerance = 1e-9
