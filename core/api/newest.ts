/** Of several classes marked default the newest counts, by name where they are of one age: as upstream chooses. */
import type { KubeObject } from './meta.ts'

export function newest<T extends KubeObject>(classes: readonly Readonly<T>[]): Readonly<T> | undefined {
  const age = (o: Readonly<T>): string => String(o.metadata.creationTimestamp ?? '')
  return classes.toSorted((a, b) => {
    if (age(a) !== age(b)) return age(a) > age(b) ? -1 : 1
    return (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1
  })[0]
}
