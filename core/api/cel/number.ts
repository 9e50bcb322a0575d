/** Doubles as Go writes them. */

/** Go's %g: the shortest digits that read back the same, with an exponent where that is below -4 or above 5. */
export function formatDouble(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const [digits = '', exponent = '0'] = value.toExponential().split('e')
  const power = Number(exponent)
  if (power >= -4 && power < 6) return plain(value)
  return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
}

/** Without exponent. */
export function plain(value: number): string {
  const [digits = '', exponent = '0'] = Math.abs(value).toExponential().split('e')
  const power = Number(exponent)
  const all = digits.replace('.', '')
  const sign = value < 0 ? '-' : ''
  if (power < 0) return `${sign}0.${'0'.repeat(-power - 1)}${all}`
  if (all.length <= power + 1) return `${sign}${all.padEnd(power + 1, '0')}`
  return `${sign}${all.slice(0, power + 1)}.${all.slice(power + 1)}`
}
