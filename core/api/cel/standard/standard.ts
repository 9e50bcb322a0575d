/** The standard library: what every expression may call. */
import type { Library } from '../library.ts'
import { collections } from './collections.ts'
import { conversions } from './conversions.ts'
import { operators } from './operators.ts'
import { text } from './text.ts'
import { time } from './time.ts'

export const standardLibrary: Library = {
  name: 'cel.lib.std',
  functions: [...operators, ...collections, ...conversions, ...text, ...time],
}
