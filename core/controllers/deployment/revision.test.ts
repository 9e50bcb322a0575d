import { describe, expect, it } from 'vitest'
import type { ReplicaSet } from '../../api/schema/types.ts'
import { maxRevision, newestAnnotations, revisionAnnotation, revisionHistoryAnnotation } from './revision.ts'

const set = (revision: string): ReplicaSet => ({ metadata: { annotations: { [revisionAnnotation]: revision } } })

describe('revisions', () => {
  it('count on from any 64-bit number that an adopted set brings', () => {
    expect(String(maxRevision([set('7'), set('3546343826724305832'), set('no number')]) + 1n)).toBe('3546343826724305833')
  })

  it('put the old revision of a set that is rolled back to into its history', () => {
    expect(newestAnnotations({ metadata: {} }, set('2'), 10n)).toEqual({ [revisionAnnotation]: '10', [revisionHistoryAnnotation]: '2' })
  })
})
