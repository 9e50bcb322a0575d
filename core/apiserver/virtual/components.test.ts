/** ComponentStatus as upstream answers it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openRig, type Rig } from '../rig.fake.ts'

describe('component statuses', () => {
  let rig: Rig
  beforeAll(async () => {
    const ill = (): void => {
      throw new Error('does not run in this server')
    }
    rig = await openRig({ components: [{ name: 'scheduler', check: ill }, { name: 'etcd-0', check: () => {} }] })
  })
  afterAll(() => rig.close())

  const path = '/api/v1/componentstatuses'
  const ok = { type: 'Healthy', status: 'True', message: 'ok' }

  it('lists every part as it is now, and says that this is an old way to ask', async () => {
    const { json, headers } = await rig.ask('GET', path)
    expect(json).toEqual({
      kind: 'ComponentStatusList', apiVersion: 'v1', metadata: {},
      items: [
        expect.objectContaining({ metadata: { name: 'scheduler' }, conditions: [{ type: 'Healthy', status: 'False', message: 'does not run in this server' }] }),
        expect.objectContaining({ metadata: { name: 'etcd-0' }, conditions: [ok] }),
      ],
    })
    expect(headers['warning']).toEqual(['299 - "v1 ComponentStatus is deprecated in v1.19+"'])
  })

  it('selects by name, and nothing by labels', async () => {
    const names = async (query: string): Promise<readonly string[]> =>
      ((await rig.ask('GET', `${path}?${query}`)).json as { items: readonly { metadata: { name: string } }[] }).items.map(({ metadata }) => metadata.name)
    expect(await names('fieldSelector=metadata.name%3Detcd-0')).toEqual(['etcd-0'])
    expect(await names('labelSelector=a%3Db')).toEqual([])
  })

  it('gives one by its name', async () => {
    expect((await rig.ask('GET', `${path}/etcd-0`)).json).toEqual({ kind: 'ComponentStatus', apiVersion: 'v1', metadata: { name: 'etcd-0' }, conditions: [ok] })
    const missing = await rig.ask('GET', `${path}/nope`)
    expect([missing.code, missing.json.message]).toEqual([404, 'componentstatus "nope" not found'])
  })

  it('prints a table', async () => {
    const { json } = await rig.ask('GET', path, undefined, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' })
    expect((json.rows as { cells: unknown }[]).map(({ cells }) => cells)).toEqual([['scheduler', 'Unhealthy', 'does not run in this server', ''], ['etcd-0', 'Healthy', 'ok', '']])
  })

  it('has nothing to watch or to write', async () => {
    const watched = await rig.ask('GET', `${path}?watch=1`)
    expect([watched.code, watched.json.message]).toEqual([405, 'watch is not supported on resources of kind "componentstatuses"'])
    expect((await rig.ask('POST', path, {})).code).toBe(405)
  })
})
