import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AnyObject } from '../api/meta.ts'
import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from '../api/schema/types.ts'
import { openRig, type Rig } from './rig.fake.ts'

let rig: Rig
let told: number

beforeEach(async () => {
  rig = await openRig()
  told = 0
  rig.customs.onKinds(() => told++)
})
afterEach(() => rig.close())

const names = { plural: 'crontabs', singular: 'crontab', kind: 'CronTab', listKind: 'CronTabList', shortNames: ['ct'], categories: ['all'] }
const version = (name: string, more: Partial<CustomResourceDefinitionVersion> = {}): CustomResourceDefinitionVersion => ({
  name, served: true, storage: name === 'v1',
  schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: { a: { type: 'string' }, replicas: { type: 'integer' } } } } } } as CustomResourceDefinitionVersion['schema'] & object,
  ...more,
})
const definition = (versions: readonly CustomResourceDefinitionVersion[] = [version('v1')], more: Partial<CustomResourceDefinition['spec']> = {}) => ({
  apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'crontabs.stable.example.com' },
  spec: { group: 'stable.example.com', scope: 'Namespaced', names, versions, ...more },
})
const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const crd = `${crds}/crontabs.stable.example.com`
const root = '/apis/stable.example.com/v1'
const crontabs = `${root}/namespaces/default/crontabs`
const condition = (type: string, status = 'True') => ({ type, status, reason: 'Test', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' })
const merge = { 'content-type': 'application/merge-patch+json' }

async function says(...conditions: readonly object[]): Promise<void> {
  const { code, text } = await rig.ask('PATCH', `${crd}/status`, { status: { acceptedNames: names, conditions } }, merge)
  expect([code, text]).toEqual([200, expect.any(String)])
}
async function serve(made = definition()): Promise<void> {
  const { code, text } = await rig.ask('POST', crds, made)
  expect([code, text]).toEqual([201, expect.any(String)])
  await says(condition('NamesAccepted'), condition('Established'))
}
const cron = (name: string, spec: object = {}): Partial<AnyObject> => ({ apiVersion: 'stable.example.com/v1', kind: 'CronTab', metadata: { name }, spec }) as Partial<AnyObject>

describe('custom kinds', () => {
  it('are served from the moment in which their definition is established, and not before', async () => {
    await rig.ask('POST', crds, definition())
    expect([(await rig.ask('GET', crontabs)).code, (await rig.ask('GET', '/apis/stable.example.com')).code]).toEqual([404, 404])
    await says(condition('NamesAccepted'), condition('Established'))
    expect((await rig.ask('POST', crontabs, cron('a', { a: 'x' }))).code).toBe(201)
    const list = (await rig.ask('GET', crontabs)).json
    expect([list.kind, list.metadata.continue, list.items.length, list.items[0].spec]).toEqual(['CronTabList', '', 1, { a: 'x' }])
    expect((await rig.ask('GET', root)).json.resources).toEqual([
      expect.objectContaining({ name: 'crontabs', shortNames: ['ct'], categories: ['all'], storageVersionHash: expect.any(String), verbs: ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'] }),
    ])
    expect((await rig.ask('GET', '/')).json.paths).toContain('/apis/stable.example.com/v1')
  })

  it('tell those who follow all kinds once, however many have come', async () => {
    await serve()
    expect(told).toBe(0)
    await rig.clock.advance(100)
    expect(told).toBe(1)
  })

  it('that keep coming are told of in turns that are farther apart', async () => {
    await serve()
    for (let i = 0; i < 10; i++) {
      await rig.clock.advance(50)
      await rig.ask('PATCH', crd, { spec: { versions: [version('v1'), version(`v${i + 2}`)] } }, merge)
    }
    expect(told).toBe(3)
    await rig.clock.advance(200)
    expect(told).toBe(4)
  })

  it('keep their watches while only the status of the definition changes, and end them when it says something else', async () => {
    await serve()
    const watch = rig.open(`${crontabs}?watch=true`)
    await watch.done
    await says(condition('NamesAccepted'), condition('Established'), condition('NonStructuralSchema', 'False'))
    await says(condition('NamesAccepted'), condition('Established'), condition('Terminating'))
    await rig.ask('POST', crontabs, cron('late'))
    expect([watch.ended, watch.events().length]).toEqual([false, 0])
    await rig.ask('PATCH', crd, { spec: { versions: [version('v1'), version('v2')] } }, merge)
    expect(watch.ended).toBe(true)
    expect((await rig.ask('GET', '/apis/stable.example.com')).json.versions.map((each: { version: string }) => each.version)).toEqual(['v2', 'v1'])
  })

  it('take nothing new while their definition goes, and are gone with it', async () => {
    await serve()
    await rig.ask('POST', crontabs, cron('a'))
    await says(condition('NamesAccepted'), condition('Established'), condition('Terminating'))
    const refused = await rig.ask('POST', crontabs, cron('b'))
    expect([refused.code, refused.json.message]).toEqual([403, 'crontabs.stable.example.com "b" is forbidden: create not allowed while custom resource definition is terminating'])
    expect((await rig.ask('PATCH', `${crontabs}/a`, { spec: { a: 'y' } }, merge)).code).toBe(200)
    expect((await rig.ask('GET', root)).json.resources[0].verbs).toEqual(['delete', 'deletecollection', 'get', 'list', 'watch'])
    await rig.ask('DELETE', crd)
    await rig.ask('PATCH', crd, { metadata: { finalizers: null } }, merge)
    expect([(await rig.ask('GET', crd)).code, (await rig.ask('GET', crontabs)).code]).toEqual([404, 404])
    expect(rig.registry.kinds().some((kind) => kind.custom !== undefined)).toBe(false)
  })

  it('lose only the version that is served no more', async () => {
    await serve(definition([version('v1'), version('v2')]))
    await rig.ask('POST', crontabs, cron('a'))
    const answer = await rig.ask('PATCH', crd, { spec: { versions: [version('v1'), version('v2', { served: false })] } }, merge)
    expect(answer.code).toBe(200)
    expect([(await rig.ask('GET', '/apis/stable.example.com/v2/crontabs')).code, (await rig.ask('GET', `${crontabs}/a`)).code]).toEqual([404, 200])
  })

  it('answer in JSON and YAML, as Tables, and with their metadata alone in protobuf', async () => {
    await serve()
    await rig.ask('POST', crontabs, cron('a'))
    const protobuf = 'application/vnd.kubernetes.protobuf'
    expect((await rig.ask('GET', `${crontabs}/a`, undefined, { accept: protobuf })).code).toBe(406)
    expect((await rig.ask('GET', `${crontabs}/a`, undefined, { accept: `${protobuf};as=PartialObjectMetadata;g=meta.k8s.io;v=v1` })).headers['content-type']).toBe(protobuf)
    expect((await rig.ask('GET', crontabs, undefined, { accept: 'application/json;as=Table;g=meta.k8s.io;v=v1' })).json.rows[0].cells[0]).toBe('a')
    expect((await rig.ask('POST', crontabs, 'x', { 'content-type': protobuf })).code).toBe(415)
    const strategic = await rig.ask('PATCH', `${crontabs}/a`, {}, { 'content-type': 'application/strategic-merge-patch+json' })
    expect([strategic.code, strategic.json.message]).toEqual([415, expect.stringMatching(/application\/json-patch\+json, application\/merge-patch\+json, application\/apply-patch\+yaml$/)])
  })

  it.each([
    [{ metadata: { name: 'x' } }, 400, `the object provided is unrecognized (must be of type CronTab): Object 'Kind' is missing in '{"metadata":{"name":"x"}}' ({"metadata":{"name":"x"}})`],
    [{ kind: 'CronTab', metadata: { name: 'x' } }, 400, 'the API version in the data () does not match the expected API version (stable.example.com/v1)'],
    [{ apiVersion: 'stable.example.com/v1', kind: 'Other', metadata: { name: 'x' } }, 422, 'Other.stable.example.com "x" is invalid: kind: Invalid value: "Other": must be CronTab'],
  ])('refuse %j', async (body, code, message) => {
    await serve()
    const answer = await rig.ask('POST', crontabs, body)
    expect([answer.code, answer.json.message]).toEqual([code, message])
  })

  it('are scaled and applied with the ownership of their schema', async () => {
    await serve(definition([version('v1', { subresources: { status: {}, scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' } } })]))
    await rig.ask('POST', crontabs, cron('a', { replicas: 1 }))
    const scaled = await rig.ask('PATCH', `${crontabs}/a/scale`, { spec: { replicas: 3 } }, merge)
    expect([scaled.code, scaled.json.spec]).toEqual([200, { replicas: 3 }])
    const apply = { 'content-type': 'application/apply-patch+yaml' }
    const conflict = await rig.ask('PATCH', `${crontabs}/a?fieldManager=m`, cron('a', { replicas: 5 }), apply)
    expect([conflict.code, conflict.json.details.causes[0].field]).toEqual([409, '.spec.replicas'])
    const undeclared = await rig.ask('PATCH', `${crontabs}/a?fieldManager=m`, cron('a', { zz: 5 }), apply)
    expect([undeclared.code, undeclared.json.message]).toEqual([500, expect.stringContaining('.spec.zz: field not declared in schema')])
    const twice = 'apiVersion: stable.example.com/v1\nkind: CronTab\nspec:\n  a: q\n  a: r\n'
    const strict = await rig.ask('PATCH', `${crontabs}/a?fieldManager=m&fieldValidation=Strict`, twice, apply)
    expect([strict.code, strict.json.message]).toEqual([400, 'error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  line 5: key "a" already set in map'])
    await rig.ask('POST', crontabs, cron('none'))
    expect((await rig.ask('GET', `${crontabs}/none/scale`)).json.message).toBe('Internal error occurred: the spec replicas field ".spec.replicas" does not exist')
  })

  it('are published, and leave the documents of others as they were', async () => {
    const index = async () => (await rig.ask('GET', '/openapi/v3')).json.paths as Record<string, { serverRelativeURL: string }>
    const before = await index()
    await serve()
    const after = await index()
    expect(Object.keys(after).filter((path) => after[path]?.serverRelativeURL !== before[path]?.serverRelativeURL)).toEqual(['apis/stable.example.com/v1'])
    const { components, paths } = (await rig.ask('GET', '/openapi/v3/apis/stable.example.com/v1')).json
    expect(components.schemas['com.example.stable.v1.CronTab'].properties.spec.properties).toEqual({ a: { type: 'string' }, replicas: { type: 'integer' } })
    expect(Object.keys(paths)).toContain('/apis/stable.example.com/v1/namespaces/{namespace}/crontabs/{name}')
    const whole = (await rig.ask('GET', '/openapi/v2')).json
    expect([whole.definitions['com.example.stable.v1.CronTab'].type, Object.keys(whole.paths).filter((path) => path.includes('crontabs')).length]).toEqual(['object', 3])
    await rig.ask('DELETE', crd)
    await rig.ask('PATCH', crd, { metadata: { finalizers: null } }, merge)
    expect(await index()).toEqual(before)
    expect((await rig.ask('GET', '/openapi/v2')).json.definitions['com.example.stable.v1.CronTab']).toBeUndefined()
  })
})
