/** Amounts of resources in words, as people write them: 500m cpu, 1.5Gi memory. */

const binaries: readonly (readonly [string, number])[] = [['Ti', 2 ** 40], ['Gi', 2 ** 30], ['Mi', 2 ** 20], ['Ki', 2 ** 10]]

/** Of cpu in thousandths, of everything else in units. */
export function amountText(resource: string, amount: number): string {
  return `${quantityText(resource, amount)} ${resource}`
}

/** Rounded up where it is not whole, so that what is said is enough; exact for what a pod can ask for. */
export function quantityText(resource: string, amount: number): string {
  if (resource === 'cpu') return amount % 1_000 === 0 ? String(amount / 1_000) : `${amount}m`
  if (!/^(memory|ephemeral-storage|hugepages-.*)$/.test(resource)) return String(amount)
  for (const [unit, size] of binaries) if (amount >= size && (amount * 100) % size === 0) return `${amount / size}${unit}`
  for (const [unit, size] of binaries) if (amount >= 10 * size) return `${Math.ceil(amount / size)}${unit}`
  return String(amount)
}
