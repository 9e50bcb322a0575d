/**
 * Amounts of metrics: thousandths of their unit, exact however large, and how a status shows them. The arithmetic of
 * upstream's replica calculator is that of 64-bit integers.
 */
import { quantityMilli } from '../../api/quantity.ts'

export const amountMax = 2n ** 63n - 1n
export const replicasMax = 2 ** 31 - 1

export function amountOf(quantity: string | number): bigint {
  const milli = quantityMilli(quantity)
  if (Number.isNaN(milli)) return 0n
  if (milli >= Number(amountMax)) return amountMax
  return milli <= -Number(amountMax) ? -amountMax : BigInt(milli)
}

const decimals = ['m', '', 'k', 'M', 'G', 'T', 'P', 'E']
const binaries = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']

/** As a quantity. Memory that is whole bytes, and at least 1024 of them, is written in powers of 1024. */
export function quantityOf(milli: bigint, resource = ''): string {
  const bytes = milli / 1_000n
  if (resource === 'memory' && milli % 1_000n === 0n && (bytes >= 1_024n || bytes <= -1_024n)) return shortened(bytes, 1_024n, binaries)
  return milli === 0n ? '0' : shortened(milli, 1_000n, decimals)
}

function shortened(value: bigint, step: bigint, suffixes: readonly string[]): string {
  let left = value
  let i = 0
  for (; i < suffixes.length - 1 && left % step === 0n; i++) left /= step
  return `${left}${suffixes[i] ?? ''}`
}

/** A count of replicas is a 32-bit integer. */
export function replicasFrom(exact: number): number {
  const up = Math.ceil(exact)
  return up > replicasMax ? replicasMax : up
}
