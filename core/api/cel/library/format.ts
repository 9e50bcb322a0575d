/** kubernetes.format: checking text against named formats (k8s.io/apiserver/pkg/cel/library/format.go). The formats are formats.ts. */
import type { Estimated, Library } from '../library.ts'
import { scaled } from '../range.ts'
import { list, optional, string } from '../type.ts'
import { OptionalValue } from '../value.ts'
import { actualSize, matchCost, regexFactor, sizeOf, stringFactor } from './cost.ts'
import { declare, member, overload } from './declare.ts'
import { listOf } from './elements.ts'
import { Format, formats, formatType } from './formats.ts'

/** What is assumed of a format's regular expression before it is known which it is. */
const patternLengthMax = 128

export const formatLibrary: Library = {
  name: 'kubernetes.format',
  functions: [
    declare('format.named', overload('format-named', [string], optional(formatType), (name: string) => new OptionalValue(formats.get(name)))),
    declare(
      'validate',
      member('format-validate', [formatType, string], optional(list(string)), validate, {
        cost: ([format, text]) => matchCost(actualSize(text), (format as Format).patternLength),
        estimate: ([, text]: readonly Estimated[]) => ({ cost: scaled(scaled(sizeOf(text), stringFactor), patternLengthMax * regexFactor) }),
      }),
    ),
    ...[...formats].map(([name, format]) => declare(`format.${name}`, overload(`format.${name}`, [], formatType, () => format))),
  ],
}

function validate(format: Format, text: string): OptionalValue {
  const sentences = format.rule(text)
  return new OptionalValue(sentences.length === 0 ? undefined : listOf(sentences))
}
