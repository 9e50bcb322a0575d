import { expect, it } from 'vitest'
import { configMaps } from '../api/core/configmap.ts'
import type { AnyObject } from '../api/meta.ts'
import { encodeStored, storedItems } from './item.ts'

it('an item that was written just now is what its bytes say, and nobody else has it', () => {
  const mine: AnyObject = { metadata: { name: 'a', namespace: 'default', resourceVersion: '3', labels: { x: 'y' } }, data: { k: 'v' }, immutable: undefined }
  const bytes = encodeStored(configMaps, mine)
  const item = storedItems.item(bytes, 7)
  expect(JSON.stringify(item.object)).toBe(new TextDecoder().decode(item.bytes))
  expect(Object.keys(item.object)).toEqual(['kind', 'apiVersion', 'metadata', 'data'])
  mine.metadata.labels = { x: 'changed' }
  ;(mine as unknown as { data: Record<string, string> }).data['k'] = 'changed'
  expect(item.object).toEqual(JSON.parse(new TextDecoder().decode(item.bytes)))
})
