import { describe, expect, it } from 'vitest'
import { configMaps } from '../api/core/configmap.ts'
import { namespaces } from '../api/core/namespace.ts'
import { kinds } from '../api/kinds.ts'
import { testApi } from '../../test/support/api.ts'
import { gone, readManifest, sync, type ManifestFile } from './manifests.ts'

const configMap = (name: string, value: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}, namespace: default}\ndata: {x: ${value}}\n`

describe('readManifest()', () => {
  it('puts namespaces first and gives the default namespace', () => {
    const text = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: b}\n`
    const wanted = readManifest({ name: 'f', text }, kinds)
    expect(typeof wanted === 'string' ? wanted : wanted.map((w) => [w.kind.kind, w.key.namespace])).toEqual([['Namespace', ''], ['ConfigMap', 'default']])
  })

  it.each([
    ['an unknown kind', 'apiVersion: x/v1\nkind: Nope\nmetadata: {name: a}', 'no kind Nope in x/v1'],
    ['no name', 'apiVersion: v1\nkind: Secret\n', 'Secret without metadata.name'],
  ])('says why %s cannot be used', (_, text, why) => expect(readManifest({ name: 'f', text }, kinds)).toBe(why))
})

describe('sync()', () => {
  it('applies files, applies them again when they change, prunes what goes, and deletes nothing for a broken file', async () => {
    const api = await testApi()
    const { ctx, client } = api
    for (const name of ['default', 'kube-system']) if ((await api.get(namespaces, name, '')) === undefined) await api.create(namespaces, { metadata: { name } })
    let files: ManifestFile[] = []
    const deps = { client, kinds: () => kinds, files: { read: async () => files, watch: () => {} } }
    const value = async (name: string): Promise<string | undefined> => (await client.get(ctx, configMaps, { namespace: 'default', name }))?.data?.['x']

    files = [{ name: 'a.yaml', text: configMap('one', '"1"') }, { name: 'sub/b.yaml', text: configMap('two', '"2"') }]
    expect(await sync(ctx, deps)).toBe(true)
    expect([await value('one'), await value('two')]).toEqual(['1', '2'])

    files = [{ name: 'a.yaml', text: configMap('one', '"3"') }, { name: 'sub/b.yaml', text: 'kind: [' }]
    expect(await sync(ctx, deps)).toBe(false)
    expect([await value('one'), await value('two')]).toEqual(['3', '2'])

    files = [{ name: 'a.yaml', text: configMap('one', '"3"') }]
    expect(await sync(ctx, deps)).toBe(true)
    expect([await value('one'), await value('two')]).toEqual(['3', undefined])
    await api.stop()
  })

  it('prunes an object that owns no field, and spares one that was taken over', async () => {
    const api = await testApi()
    const { ctx, client } = api
    if ((await api.get(namespaces, 'kube-system', '')) === undefined) await api.create(namespaces, { metadata: { name: 'kube-system' } })
    const bare = (name: string): string => `apiVersion: v1\nkind: Namespace\nmetadata: {name: ${name}}\n`
    let files: ManifestFile[] = [{ name: 'a', text: `${bare('bare')}---\n${bare('taken')}` }]
    const deps = { client, kinds: () => kinds, files: { read: async () => files, watch: () => {} } }
    expect(await sync(ctx, deps)).toBe(true)
    await api.change(namespaces, 'taken', (mine) => delete mine.metadata.annotations, { namespace: '' })
    files = []
    expect(await sync(ctx, deps)).toBe(true)
    const going = await api.get(namespaces, 'bare', '')
    expect(going === undefined || going.metadata.deletionTimestamp !== undefined).toBe(true)
    expect((await api.get(namespaces, 'taken', ''))?.metadata.deletionTimestamp).toBeUndefined()
    await api.stop()
  })

  it('an object that moves to another file stays', () => {
    const ref = { apiVersion: 'v1', kind: 'Secret', namespace: 'a', name: 'b' }
    expect(gone({ old: [ref] }, { new: [ref] })).toEqual([])
    expect(gone({ old: [ref] }, {})).toEqual([ref])
  })
})
