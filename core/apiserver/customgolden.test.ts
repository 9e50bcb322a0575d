/** The goldens of custom kinds (test/golden/custom) through the whole chain: definitions are posted, objects are sent, answers are upstream's. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { customResourceDefinitions } from '../api/apiextensions/customresourcedefinition.ts'
import type { StatusCause } from '../api/errors.ts'
import type { AnyObject } from '../api/meta.ts'
import type { CustomResourceDefinition } from '../api/schema/types.ts'
import { serveCustomKinds } from './customs.ts'
import { openRig, type Rig } from './rig.fake.ts'
import { RegistryWorld } from './world.ts'

interface Case {
  readonly title: string
  readonly verb: 'create' | 'update' | 'get' | 'table'
  readonly version: string
  readonly stage: number
  readonly subresource?: string
  readonly fieldValidation?: string
  readonly sent?: AnyObject
  readonly prev?: AnyObject
  readonly object?: AnyObject
  readonly answer: {
    readonly code: number
    readonly object?: AnyObject
    readonly generation?: number
    readonly message?: string
    readonly causes?: readonly StatusCause[]
    readonly warnings?: readonly string[]
    readonly cells?: readonly unknown[]
  }
}

interface Golden {
  readonly definitions: readonly CustomResourceDefinition[]
  readonly cases: readonly Case[]
}

const folder = new URL('../../test/golden/custom/', import.meta.url)
const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

async function define(rig: Rig, crd: CustomResourceDefinition): Promise<void> {
  const name = crd.metadata.name ?? ''
  const there = await rig.ask('GET', `${crds}/${name}`)
  const sent = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name, resourceVersion: there.json.metadata?.resourceVersion }, spec: crd.spec }
  const { code, text } = there.code === 200 ? await rig.ask('PUT', `${crds}/${name}`, sent) : await rig.ask('POST', crds, sent)
  expect([code, text]).toEqual([there.code === 200 ? 200 : 201, expect.any(String)])
  const conditions = ['NamesAccepted', 'Established'].map((type) => ({ type, status: 'True', reason: 'Test', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' }))
  await rig.ask('PATCH', `${crds}/${name}/status`, { status: { acceptedNames: crd.spec.names, conditions } }, { 'content-type': 'application/merge-patch+json' })
}

function clean(object: AnyObject): AnyObject {
  const { uid: _u, creationTimestamp: _c, resourceVersion: _r, managedFields: _m, generation: _g, ...metadata } = object.metadata as unknown as Record<string, unknown>
  return { ...object, metadata } as AnyObject
}

async function answer(rig: Rig, crd: CustomResourceDefinition, each: Case) {
  const list = `/apis/${crd.spec.group}/${each.version}/namespaces/default/${crd.spec.names.plural}`
  const query = `?fieldValidation=${each.fieldValidation ?? 'Warn'}`
  if (each.verb === 'create') return await rig.ask('POST', list + query, each.sent)
  const name = each.sent?.metadata.name ?? each.answer.object?.metadata.name ?? ''
  if (each.verb === 'get') return await rig.ask('GET', `${list}/${name}`)
  const live = (await rig.ask('GET', `${list}/${name}`)).json as AnyObject
  const { resourceVersion, uid, creationTimestamp, managedFields } = live.metadata
  const sent = { ...each.sent, metadata: { ...each.sent?.metadata, resourceVersion, uid, creationTimestamp, managedFields } }
  return await rig.ask('PUT', `${list}/${name}${each.subresource === '' ? '' : `/${each.subresource}`}${query}`, sent)
}

const told = (causes: readonly StatusCause[] = []): readonly string[] => [...new Set(causes.map((cause) => `${cause.field} ${cause.reason}: ${cause.message}`))].sort()

for (const file of readdirSync(folder)) {
  const { definitions, cases } = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Golden
  describe(`custom kinds of ${file}`, () => {
    it('are answered as upstream answers', async () => {
      const rig = await openRig()
      const changes = await RegistryWorld.open(rig.ctx, rig.registry, [customResourceDefinitions])
      const customs = serveCustomKinds(rig.ctx, { registry: rig.registry, changes, conversion: () => (objects) => Promise.resolve([...objects] as AnyObject[]) })
      let stage = -1
      for (const each of cases) {
        if (each.verb === 'table') continue
        const crd = definitions[each.stage] as CustomResourceDefinition
        while (stage < each.stage) await define(rig, definitions[++stage] as CustomResourceDefinition)
        const got = await answer(rig, crd, each)
        const want = each.answer
        const about = `${each.title}: `
        expect.soft([about, got.code]).toEqual([about, want.code])
        if (want.object !== undefined && got.code < 300) {
          expect.soft([about, clean(got.json), got.json.metadata.generation]).toEqual([about, clean(want.object), want.generation])
        } else if (want.code === 422) expect.soft([about, told(got.json.details?.causes)]).toEqual([about, told(want.causes)])
        else expect.soft([about, got.json.message]).toEqual([about, want.message])
      }
      customs.stop()
      await rig.close()
    })
  })
}
