/** kubernetes.quantity: quantities in expressions (k8s.io/apiserver/pkg/cel/library/quantity.go). Arithmetic is amount.ts. */
import type { Library } from '../library.ts'
import { bool, double, int, opaque, string } from '../type.ts'
import { CelError, OpaqueValue } from '../value.ts'
import { addAmounts, approximate, compareAmounts, integerOf, readAmount, signOf, small, subtractAmounts, type Amount } from './amount.ts'
import { traversalCost, traversalEstimate } from './cost.ts'
import { declare, member, overload, type Costs } from './declare.ts'

export const quantityType = opaque('kubernetes.Quantity')

export class Quantity extends OpaqueValue {
  readonly type = quantityType
  readonly amount: Amount
  /** Computed, not read. */
  readonly #computed: boolean

  constructor(amount: Amount, computed = false) {
    super()
    this.amount = amount
    this.#computed = computed
  }

  /** Upstream cannot compare anything with a computed quantity that stands on the right; so it is here, for rules that count on the error. */
  override equals(other: OpaqueValue): boolean {
    if (!(other instanceof Quantity) || other.#computed) throw new CelError('no such overload')
    return compareAmounts(this.amount, other.amount) === 0
  }
}

const parsing: Costs = { cost: traversalCost(), estimate: traversalEstimate() }

type Arithmetic = (a: Amount, b: Amount) => Amount
const compute = (how: Arithmetic) => (a: Quantity, b: Quantity) => new Quantity(how(a.amount, b.amount), true)
const computeInt = (how: Arithmetic) => (a: Quantity, b: bigint) => new Quantity(how(a.amount, small(b)), true)
const compare = (a: Quantity, b: Quantity): number => compareAmounts(a.amount, b.amount)

export const quantityLibrary: Library = {
  name: 'kubernetes.quantity',
  functions: [
    declare('quantity', overload('string_to_quantity', [string], quantityType, readQuantity, parsing)),
    declare('isQuantity', overload('is_quantity_string', [string], bool, (text: string) => readAmount(text).ok, parsing)),
    // Not a member: upstream declares it so.
    declare('sign', overload('quantity_sign', [quantityType], int, (quantity: Quantity) => BigInt(signOf(quantity.amount)))),
    declare('isGreaterThan', member('quantity_is_greater_than', [quantityType, quantityType], bool, (a: Quantity, b: Quantity) => compare(a, b) > 0)),
    declare('isLessThan', member('quantity_is_less_than', [quantityType, quantityType], bool, (a: Quantity, b: Quantity) => compare(a, b) < 0)),
    declare('compareTo', member('quantity_compare_to', [quantityType, quantityType], int, (a: Quantity, b: Quantity) => BigInt(compare(a, b)))),
    declare('asApproximateFloat', member('quantity_get_float', [quantityType], double, (quantity: Quantity) => approximate(quantity.amount))),
    declare('asInteger', member('quantity_get_int', [quantityType], int, asInteger)),
    declare('isInteger', member('quantity_is_integer', [quantityType], bool, (quantity: Quantity) => integerOf(quantity.amount) !== undefined)),
    declare(
      'add',
      member('quantity_add', [quantityType, quantityType], quantityType, compute(addAmounts)),
      member('quantity_add_int', [quantityType, int], quantityType, computeInt(addAmounts)),
    ),
    declare(
      'sub',
      member('quantity_sub', [quantityType, quantityType], quantityType, compute(subtractAmounts)),
      member('quantity_sub_int', [quantityType, int], quantityType, computeInt(subtractAmounts)),
    ),
  ],
}

function readQuantity(text: string): Quantity {
  const read = readAmount(text)
  if (!read.ok) throw new CelError(read.error)
  return new Quantity(read.amount)
}

function asInteger(quantity: Quantity): bigint {
  const value = integerOf(quantity.amount)
  if (value === undefined) throw new CelError('cannot convert value to integer')
  return value
}
