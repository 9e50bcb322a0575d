/** Rules of printer columns, and of where the scale of an object is kept. */
import { needsText, type Errors } from '../checks.ts'
import { invalidValue, required, type Path } from '../field.ts'
import type { CustomResourceColumnDefinition, CustomResourceSubresources } from '../schema/types.ts'

const columnTypes: readonly string[] = ['boolean', 'date', 'integer', 'number', 'string']
const columnFormats: readonly string[] = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password']

export function validateColumns(errors: Errors, columns: readonly Readonly<CustomResourceColumnDefinition>[], at: Path): void {
  columns.forEach((column, i) => {
    const here = at.index(i)
    needsText(errors, column.name, here.child('name'))
    const types = `must be one of ${columnTypes.join(',')}`
    if (column.type === '') errors.push(required(here.child('type'), types))
    else if (!columnTypes.includes(column.type)) errors.push(invalidValue(here.child('type'), column.type, types))
    const { format = '' } = column
    if (format !== '' && !columnFormats.includes(format)) errors.push(invalidValue(here.child('format'), format, `must be one of ${columnFormats.join(',')}`))
    simplePath(errors, column.jsonPath, here.child('JSONPath'))
  })
}

/** Whether it is one. */
function simplePath(errors: Errors, text: string, at: Path): boolean {
  if (text === '') errors.push(required(at))
  else if (!text.startsWith('.')) errors.push(invalidValue(at, text, 'must be a simple json path starting with .'))
  else return true
  return false
}

export function validateSubresources(errors: Errors, subresources: Readonly<CustomResourceSubresources> | undefined, at: Path): void {
  const scale = subresources?.scale
  if (scale === undefined) return
  pathUnder(errors, scale.specReplicasPath, ['.spec.'], 'should be a json path under .spec', at.child('scale.specReplicasPath'))
  pathUnder(errors, scale.statusReplicasPath, ['.status.'], 'should be a json path under .status', at.child('scale.statusReplicasPath'))
  const { labelSelectorPath = '' } = scale
  if (labelSelectorPath !== '') pathUnder(errors, labelSelectorPath, ['.spec.', '.status.'], 'should be a json path under either .spec or .status', at.child('scale.labelSelectorPath'))
}

function pathUnder(errors: Errors, text: string, roots: readonly string[], sentence: string, at: Path): void {
  if (simplePath(errors, text, at) && !roots.some((root) => text.startsWith(root))) errors.push(invalidValue(at, text, sentence))
}
