/** Floats as Go prints them (%v). */

/** The digits that tell it apart, with an exponent where that is below -4 or above 5; whole numbers that are no floats are not for this. */
export function goFloat(value: number): string {
  const [digits = '0', exponent = '0'] = value.toExponential().split('e')
  const power = Number(exponent)
  if (power >= -4 && power < 6) return String(value)
  return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
}
