import { describe, expect, it } from 'vitest'
import { configMaps } from '../api/core/configmap.ts'
import { Informers } from '../client/informers.ts'
import { childCtx } from '../lib/ctx.ts'
import { testApi } from '../../test/support/api.ts'
import { OwnWrites } from './writes.ts'

describe('OwnWrites', () => {
  it('holds a key back until the lister shows what was written, and then lets it go', async () => {
    const api = await testApi()
    const informers = new Informers({ client: api.client, random: api.random })
    const informer = informers.of(configMaps)
    const released: string[] = []
    const writes = new OwnWrites(informers, api.clock, (key, ms) => (ms === 0 ? released.push(key) : undefined))
    const client = writes.clientFor('k', api.client)
    const a = await client.create(api.ctx, configMaps, { metadata: { name: 'a', namespace: 'default' } })
    expect([writes.settled('k'), writes.settled('other'), released]).toEqual([false, true, []]) // nothing runs yet: nothing is seen
    const running = informers.run(api.ctx)
    await api.clock.settle()
    expect([informer.lister.size, writes.settled('k'), released]).toEqual([1, true, ['k']])
    await client.delete(api.ctx, configMaps, { namespace: 'default', name: 'a' }, { preconditions: { uid: a.metadata.uid ?? '' } })
    await api.clock.settle()
    expect([informer.lister.size, writes.settled('k')]).toEqual([0, true])
    await api.stop()
    await running
  })

  it('an update that ends an object is seen when the object has gone', async () => {
    const api = await testApi()
    const informers = new Informers({ client: api.client, random: api.random })
    const informer = informers.of(configMaps)
    const place = { namespace: 'default', name: 'a' }
    await api.create(configMaps, { metadata: { ...place, finalizers: ['example.com/held'] } })
    await api.client.delete(api.ctx, configMaps, place)
    const { ctx, end } = childCtx(api.ctx)
    const running = informers.run(ctx)
    await api.clock.settle()
    end() // from here on it lags
    await running
    const writes = new OwnWrites(informers, api.clock, () => {})
    await writes.clientFor('k', api.client).patch(api.ctx, configMaps, place, 'merge', { metadata: { finalizers: null } })
    expect([await api.get(configMaps, 'a'), informer.lister.size, writes.settled('k')]).toEqual([undefined, 1, false])
    const again = informers.run(api.ctx)
    await api.clock.settle()
    expect([informer.lister.size, writes.settled('k')]).toEqual([0, true])
    await api.stop()
    await again
  })

  it('forgets a write that no lister ever shows', async () => {
    const api = await testApi()
    const informers = new Informers({ client: api.client, random: api.random })
    informers.of(configMaps) // never run
    const writes = new OwnWrites(informers, api.clock, () => {})
    await writes.clientFor('k', api.client).create(api.ctx, configMaps, { metadata: { name: 'a', namespace: 'default' } })
    await api.clock.advance(299_000)
    const before = writes.settled('k')
    await api.clock.advance(2_000)
    expect([before, writes.settled('k')]).toEqual([false, true])
    await api.stop()
  })
})
