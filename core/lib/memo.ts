/** Memo: what was made once is kept and given again. What throws is not kept. */

/** For texts: up to a number of them; then all is forgotten. */
export function memo<V>(keptMax: number, make: (text: string) => V): (text: string) => V {
  const kept = new Map<string, V>()
  return (text) => {
    const known = kept.get(text)
    if (known !== undefined || kept.has(text)) return known as V
    const made = make(text)
    if (kept.size >= keptMax) kept.clear()
    kept.set(text, made)
    return made
  }
}

/** For objects that nobody changes, as listers lend them: as long as the object itself is kept. */
export function memoOf<K extends object, V>(make: (of: K) => V): (of: K) => V {
  const kept = new WeakMap<K, V>()
  return (of) => {
    const known = kept.get(of)
    if (known !== undefined || kept.has(of)) return known as V
    const made = make(of)
    kept.set(of, made)
    return made
  }
}
