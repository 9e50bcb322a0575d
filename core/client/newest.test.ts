/** What one wrote oneself counts until the informer shows it. */
import { expect, it } from 'vitest'
import { persistentVolumes } from '../api/core/persistentvolume.ts'
import type { PersistentVolume } from '../api/schema/types.ts'
import { volumeOf } from '../../test/support/storage.ts'
import type { Informer } from './informer.ts'
import { Cache } from './lister.ts'
import { Newest } from './newest.ts'

const at = (name: string, resourceVersion: string): PersistentVolume => volumeOf(name, {}, { resourceVersion })

it('the newer of what is shown and what was written', () => {
  const lister = new Cache<PersistentVolume>()
  const informer = { kind: persistentVolumes, lister, revision: 5 }
  const newest = new Newest(informer as unknown as Informer<PersistentVolume>)
  const shown = (): readonly (string | undefined)[] => [newest.at('a')?.metadata.resourceVersion, ...newest.list().map((each) => each.metadata.resourceVersion)]
  lister.put(at('a', '3'))
  expect(shown()).toEqual(['3', '3'])
  newest.wrote(at('a', '7'))
  newest.wrote(at('a', '6')) // answers may come late
  expect(shown()).toEqual(['7', '7'])
  informer.revision = 8
  lister.put(at('a', '8'))
  expect(shown()).toEqual(['8', '8'])
  newest.wrote(at('a', '9'))
  lister.remove('a')
  informer.revision = 10
  expect(shown()).toEqual([undefined])
})
