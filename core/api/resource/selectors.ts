/**
 * Expressions that choose devices: what they see (`device`), and whether one is well formed and cheap enough. What asks them of
 * devices is the scheduler's (k8s.io/dynamic-resource-allocation/cel/compile.go).
 */
import { memo } from '../../lib/memo.ts'
import { environment, type Compilation } from '../cel/cel.ts'
import { kubernetesLibraries } from '../cel/environments.ts'
import { quantityType } from '../cel/library/quantity.ts'
import { any, bool, map, string, type CelType, type ObjectType } from '../cel/type.ts'
import { typeName } from '../cel/typing.ts'
import type { Range } from '../cel/library.ts'
import type { Errors } from '../checks.ts'
import { FieldError, forbiddenField, invalidValue, tooLong, type Path } from '../field.ts'

export const expressionBytesMax = 10 * 1_024
export const expressionCostMax = 1_000_000

const perDeviceMax = 32
const domainMax = 63
const idMax = 32
const attributeMax = 64
const driverMax = 63

/** How large values are that can be reached from `device`: of a map, of its keys, of its values. */
interface Sized {
  readonly max: number
  readonly keys?: Sized
  readonly values?: Sized
  /** Every key's value may also be asked for as a field. */
  readonly open?: true
}

const perDomain = (values: Sized, open?: true): Sized => ({
  max: perDeviceMax, keys: { max: domainMax }, values: { max: perDeviceMax, keys: { max: idMax }, values, ...(open === undefined ? {} : { open }) },
})

const parts: Readonly<Record<string, { readonly type: CelType; readonly size: Sized }>> = {
  allowMultipleAllocations: { type: bool, size: { max: 1 } },
  driver: { type: string, size: { max: driverMax } },
  attributes: { type: map(string, map(string, any)), size: perDomain({ max: attributeMax }, true) },
  capacity: { type: map(string, map(string, quantityType)), size: perDomain({ max: 0 }) },
}

const deviceType: ObjectType = {
  kind: 'object',
  name: 'kubernetes.DRADevice',
  field: (name) => (parts[name] === undefined ? undefined : { type: parts[name].type, jsonName: name }),
  fieldNames: () => Object.keys(parts),
}

const selectors = environment({ libraries: kubernetesLibraries, variables: { device: deviceType }, bindings: true })

/** Expressions repeat: classes and claims are made from few templates. */
export const compileSelector = memo(1_000, (text): Compilation => selectors.compile(text))

export function sizeOfDevice([root, part, ...path]: readonly string[]): Range | undefined {
  if (root !== 'device') return undefined
  let at: Sized | undefined = part === undefined ? { max: 0 } : parts[part]?.size
  for (const step of path) at = step === '@keys' ? at?.keys : step === '@values' || step === '@items' || at?.open === true ? at?.values : undefined
  return at === undefined ? undefined : { min: 0, max: at.max }
}

export function validateExpression(errors: Errors, text: string, at: Path): void {
  if (Buffer.byteLength(text) > expressionBytesMax) {
    errors.push(tooLong(at, expressionBytesMax))
    return
  }
  const result = compileSelector(text)
  if (!result.ok) {
    errors.push(result.stage === 'check'
      ? invalidValue(at, text, `compilation failed: ${result.text}`)
      : new FieldError('InternalError', at, '', `program instantiation failed: ${result.text}`))
    return
  }
  const { type } = result.compiled
  if (type !== any && type.kind !== 'bool') errors.push(invalidValue(at, text, `must evaluate to bool or the unknown type, not ${shownType(type)}`))
  else if (result.compiled.estimate(sizeOfDevice).max > expressionCostMax) errors.push(forbiddenField(at, 'too complex, exceeds cost limit'))
}

/** As Go prints a type, which is not as the checker does. */
function shownType(type: CelType): string {
  switch (type.kind) {
    case 'list': return `list(${shownType(type.element)})`
    case 'map': return `map(${shownType(type.key)}, ${shownType(type.value)})`
    case 'optional': return `optional_type(${shownType(type.of)})`
    case 'type': return `type(${shownType(type.of)})`
    default: return type === any ? 'google.protobuf.Any' : typeName(type)
  }
}
