/** Memo: what was made for a text is kept and given again, up to a number of texts; then all is forgotten. What throws is not kept. */

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
