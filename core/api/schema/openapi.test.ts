import { describe, expect, it } from 'vitest'
import { collectDescriptions, noDescriptions } from './descriptions.ts'
import { openApiV2, openApiV3, openApiV3Index } from './openapi.ts'
import type { ServedResource } from './openapi.ts'
import { rootOf } from './openapi/operations.ts'
import { resources } from './resources.ts'

const input = { resources, descriptions: noDescriptions, version: 'v1.36.3' }

/** Everything a document refers to. */
function references(value: unknown, found = new Set<string>()): Set<string> {
  if (typeof value !== 'object' || value === null) return found
  for (const [key, inner] of Object.entries(value)) {
    if (key === '$ref' && typeof inner === 'string') found.add(inner.slice(inner.lastIndexOf('/') + 1))
    else references(inner, found)
  }
  return found
}

const crontab: ServedResource = {
  group: 'stable.example.com', version: 'v1', kind: 'CronTab', resource: 'crontabs', namespaced: true,
  verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
  subresources: [{ name: 'status', kind: 'CronTab', verbs: ['get', 'patch', 'update'] }],
  custom: {
    group: 'stable.example.com', version: 'v1', kind: 'CronTab', resource: 'crontabs', listKind: 'CronTabList',
    schema: {
      type: 'object',
      required: ['spec'],
      properties: {
        spec: { type: 'object', nullable: true, properties: { image: { type: 'string' } } },
        any: { anyOf: [{ type: 'string' }], 'x-kubernetes-preserve-unknown-fields': true, type: 'object' },
      },
    },
  },
}

describe('OpenAPI', () => {
  it.each([...new Set(resources.map(({ group, version }) => rootOf(group, version).slice(1)))])('the document of %s has all that it refers to', (path) => {
    const document = openApiV3(path, input) as { components: { schemas: object } }
    const have = new Set(Object.keys(document.components.schemas))
    expect([...references(document)].filter((id) => !have.has(id))).toEqual([])
  })

  it('version 2 has all that it refers to, and an operation for each verb', () => {
    const document = openApiV2(input) as { definitions: object; paths: Record<string, Record<string, { 'x-kubernetes-action'?: string }>> }
    const have = new Set(Object.keys(document.definitions))
    expect([...references(document)].filter((id) => !have.has(id))).toEqual([])
    const actions = Object.values(document.paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}'] ?? {}).map((operation) => operation['x-kubernetes-action'])
    expect(actions.filter((action) => action !== undefined).toSorted()).toEqual(['delete', 'get', 'patch', 'put'])
  })

  it('a patch takes fieldValidation, which is how kubectl asks for it', () => {
    const document = openApiV3('apis/apps/v1', input) as { paths: Record<string, { patch: { parameters: { name: string }[]; 'x-kubernetes-group-version-kind': unknown } }> }
    const patch = document.paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}']?.patch
    expect(patch?.parameters.map(({ name }) => name)).toContain('fieldValidation')
    expect(patch?.['x-kubernetes-group-version-kind']).toEqual({ group: 'apps', version: 'v1', kind: 'Deployment' })
  })

  it('fields carry keys, strategies and defaults', () => {
    const document = openApiV3('api/v1', input) as { components: { schemas: Record<string, { properties: Record<string, unknown> }> } }
    expect(document.components.schemas['io.k8s.api.core.v1.ServiceSpec']?.properties['ports']).toEqual({
      type: 'array', items: { allOf: [{ $ref: '#/components/schemas/io.k8s.api.core.v1.ServicePort' }], default: {} },
      'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['port', 'protocol'], 'x-kubernetes-patch-merge-key': 'port', 'x-kubernetes-patch-strategy': 'merge',
    })
  })

  it('custom kinds are published with the fields of every object, in version 2 without what it cannot say', () => {
    const custom = { ...input, resources: [crontab] }
    const v3 = openApiV3('apis/stable.example.com/v1', custom) as { components: { schemas: Record<string, { properties: Record<string, unknown> }> } }
    const schema = v3.components.schemas['com.example.stable.v1.CronTab']
    expect(Object.keys(schema?.properties ?? {}).toSorted()).toEqual(['any', 'apiVersion', 'kind', 'metadata', 'spec'])
    const v2 = openApiV2(custom) as { definitions: Record<string, unknown> }
    expect(v2.definitions['com.example.stable.v1.CronTab']).toMatchObject({ properties: { spec: {}, any: { 'x-kubernetes-preserve-unknown-fields': true } } })
    expect(v2.definitions['com.example.stable.v1.CronTab']).not.toHaveProperty('required')
    expect([...references(v2)].filter((id) => !(id in v2.definitions))).toEqual([])
  })

  it('the index names each document with its hash', () => {
    expect(openApiV3Index(new Map([['api/v1', 'AB']]))).toEqual({ paths: { 'api/v1': { serverRelativeURL: '/openapi/v3/api/v1?hash=AB' } } })
  })
})

describe('collectDescriptions()', () => {
  it('reads the comments of a class, under the real names of its fields', () => {
    const declarations = '/**\n* What it is.\n*/\nexport declare class V1ObjectMeta {\n    /**\n    * Says \\"x\\".\n    */\n    \'_continue\'?: string;\n    \'b\'?: string;\n}\n'
    const code = '{ "name": "_continue",\n "baseName": "continue",\n }'
    const found = collectDescriptions((name) => (name === 'V1ObjectMeta' ? { declarations, code } : undefined))
    expect(found).toEqual({ ObjectMeta: ['What it is.', { continue: 'Says "x".' }] })
  })
})
