/** What a PriorityLevelConfiguration says, in figures (k8s.io/apiserver/pkg/util/flowcontrol/apf_controller.go). */
import { exemptName } from '../../api/flowcontrol/bootstrap.ts'
import { entropyBits, entropyBitsMax } from '../../api/flowcontrol/levelrules.ts'
import type { PriorityLevelConfiguration } from '../../api/schema/types.ts'
import type { LevelMode } from './level.ts'

/** Part of a level's seats that one request may take. */
const widestPart = 0.15

/** undefined: its parts contradict each other, and it is as good as missing. */
export function modeOf({ metadata, spec }: Readonly<PriorityLevelConfiguration>): LevelMode | undefined {
  if (spec === undefined || (spec.type === 'Exempt') !== (metadata.name === exemptName)) return undefined
  if (spec.type === 'Exempt') return { type: 'exempt' }
  const response = spec.limited?.limitResponse
  if (response === undefined) return undefined
  if (response.type === 'Reject') return response.queuing === undefined ? { type: 'reject' } : undefined
  const { queues = 0, handSize = 0, queueLengthLimit = 0 } = response.queuing ?? {}
  if (queues < 1 || handSize < 1 || handSize > queues || entropyBits(queues, handSize) > entropyBitsMax) return undefined
  return { type: 'queue', queues, handSize, queueLengthLimit }
}

export function sharesOf({ spec }: Readonly<PriorityLevelConfiguration>): number {
  return (spec?.limited ?? spec?.exempt)?.nominalConcurrencyShares ?? 0
}

export interface Bounds {
  readonly nominal: number
  readonly min: number
  readonly max: number
  readonly seatsMax: number
}

/** A level's part of the server's seats; `shareSum` are the shares of all levels. */
export function boundsOf(object: Readonly<PriorityLevelConfiguration>, serverSeats: number, shareSum: number): Bounds {
  const { limited, exempt } = object.spec ?? {}
  const nominal = shareSum === 0 ? 0 : Math.ceil((serverSeats * sharesOf(object)) / shareSum)
  const part = (percent: number): number => Math.round((nominal * percent) / 100)
  const borrowing = limited?.borrowingLimitPercent
  const handSize = limited?.limitResponse?.queuing?.handSize
  return {
    nominal,
    min: nominal - part((limited ?? exempt)?.lendablePercent ?? 0),
    max: nominal + (borrowing === undefined ? serverSeats : part(borrowing)),
    seatsMax: handSize === undefined ? 0 : Math.max(1, Math.min(Math.ceil(nominal * widestPart), Math.floor(nominal / handSize))),
  }
}
