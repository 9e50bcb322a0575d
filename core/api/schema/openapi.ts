/**
 * The published OpenAPI documents: version 2 (/openapi/v2) and version 3 (/openapi/v3/...), made from the table of
 * definitions, the resources that are served, and the descriptions. Pure and complete each time: whoever serves them
 * makes them when first asked, keeps the bytes, and makes them again when the resources change.
 */
import type { Descriptions } from './descriptions.ts'
import { customListSchema, customSchema, modelName } from './openapi/custom.ts'
import { pathsOf, groupNames, resourceListId, rootOf, statusId, watchEventId } from './openapi/operations.ts'
import type { Operation, Parameter, PathItem, ServedResource } from './openapi/operations.ts'
import { closure, reference, schemaOf } from './openapi/schemas.ts'
import type { Schema, SchemaStyle } from './openapi/schemas.ts'

export type { ServedResource, ServedSubresource } from './openapi/operations.ts'
export type { CustomKind } from './openapi/custom.ts'

export interface OpenApiInput {
  readonly resources: readonly ServedResource[]
  readonly descriptions: Descriptions
  /** v1.36.0+kubun */
  readonly version: string
}

const bearer = { BearerToken: { description: 'Bearer Token authentication', in: 'header', name: 'authorization', type: 'apiKey' } }
const objectTypes = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf']
const watchTypes = ['application/json;stream=watch', 'application/vnd.kubernetes.protobuf;stream=watch']
const patchTypes = ['application/json-patch+json', 'application/merge-patch+json', 'application/strategic-merge-patch+json', 'application/apply-patch+yaml']
const customTypes = ['application/json', 'application/yaml']
const customPatchTypes = patchTypes.filter((type) => !type.includes('strategic'))
const codeTexts: Readonly<Record<number, string>> = { 200: 'OK', 201: 'Created', 202: 'Accepted', 401: 'Unauthorized' }

/** The document at /openapi/v3: each group-version with the hash of its document, so that clients may cache it for good. */
export function openApiV3Index(hashes: ReadonlyMap<string, string>): Schema {
  const paths: Record<string, { serverRelativeURL: string }> = {}
  for (const [path, hash] of hashes) paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` }
  return { paths }
}

/** The document of one group-version, by its path in the index: `api/v1`, `apis/apps/v1`. */
export function openApiV3(path: string, input: OpenApiInput): Schema {
  const resources = input.resources.filter(({ group, version }) => rootOf(group, version).slice(1) === path)
  const items = withRoots(resources)
  const [about] = resources
  const style: SchemaStyle = { version: 3, descriptions: input.descriptions, ...(about === undefined ? {} : { about }) }
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: levelOf(input.version) },
    paths: Object.fromEntries(items.map((item) => [item.path, pathV3(item)])),
    components: { schemas: schemas(resources, items, style), securitySchemes: bearer },
  }
}

/** The document at /openapi/v2. */
export function openApiV2(input: OpenApiInput): Schema {
  const items = withRoots(input.resources)
  return {
    swagger: '2.0',
    info: { title: 'Kubernetes', version: levelOf(input.version) },
    paths: Object.fromEntries(items.map((item) => [item.path, pathV2(item)])),
    definitions: schemas(input.resources, items, { version: 2, descriptions: input.descriptions }),
    securityDefinitions: bearer,
    security: [{ BearerToken: [] }],
  }
}

/** v1.36.3 -> 1.36: what the document describes. */
function levelOf(version: string): string {
  return /^v?(\d+\.\d+)\./.exec(version)?.[1] ?? version
}

function withRoots(resources: readonly ServedResource[]): PathItem[] {
  const items = resources.flatMap(pathsOf).map(hoisted)
  // Upstream says nothing of where custom kinds are listed.
  const roots = new Map(resources.filter(({ custom }) => custom === undefined).map(({ group, version }) => [rootOf(group, version), { group, version }]))
  for (const [root, { group, version }] of roots) items.push({ path: `${root}/`, parameters: [], operations: [discovery(group, version)] })
  return items.toSorted((a, b) => (a.path < b.path ? -1 : 1))
}

/** Parameters that all operations of a path have are written once, at the path. */
function hoisted(item: PathItem): PathItem {
  const [first, ...others] = item.operations
  const shared = (first?.parameters ?? []).filter(({ name }) => others.every((other) => other.parameters.some((parameter) => parameter.name === name)))
  if (shared.length === 0) return item
  const names = new Set(shared.map(({ name }) => name))
  return {
    path: item.path,
    parameters: [...item.parameters, ...shared].toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    operations: item.operations.map((operation) => ({ ...operation, parameters: operation.parameters.filter(({ name }) => !names.has(name)) })),
  }
}

function discovery(group: string, version: string): Operation {
  const { id, tag } = groupNames(group, version)
  const kind = { group: '', kind: '', version: '' }
  return { method: 'get', id: `get${id}APIResources`, action: '', sentence: 'get available resources', kind, tag, parameters: [], answer: resourceListId, codes: [200], watchable: false, custom: false }
}

function schemas(resources: readonly ServedResource[], items: readonly PathItem[], style: SchemaStyle): Record<string, Schema> {
  const roots = new Set(resources.every(({ custom }) => custom !== undefined) ? [statusId] : [resourceListId])
  // What is only created refers to neither.
  if (resources.some(({ verbs }) => verbs.includes('watch'))) roots.add(watchEventId)
  for (const { operations } of items) {
    for (const operation of operations) {
      roots.add(operation.answer)
      if (operation.body !== undefined) roots.add(operation.body.id)
    }
  }
  if (style.version === 2) for (const id of rootIds) roots.add(id)
  if (resources.some((resource) => resource.custom !== undefined)) {
    roots.add('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta').add('io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta')
  }
  const found: [string, Schema][] = [...closure(roots).values()].map((of) => [of.id, schemaOf(of, style)])
  for (const { custom } of resources) {
    if (custom === undefined) continue
    found.push([modelName(custom.group, custom.version, custom.kind), customSchema(custom, style)])
    found.push([modelName(custom.group, custom.version, custom.listKind), customListSchema(custom, style)])
  }
  return Object.fromEntries(found.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** What is served above the groups: /api, /apis, /version. */
const rootIds = ['APIVersions', 'APIGroup', 'APIGroupList'].map((name) => `io.k8s.apimachinery.pkg.apis.meta.v1.${name}`).concat('io.k8s.apimachinery.pkg.version.Info')

function common(operation: Operation): Schema {
  return {
    ...(operation.sentence === '' ? {} : { description: operation.sentence }),
    operationId: operation.id,
    tags: [operation.tag],
    ...(operation.action === '' ? {} : { 'x-kubernetes-action': operation.action, 'x-kubernetes-group-version-kind': operation.kind }),
  }
}

function answerTypes(operation: Operation): readonly string[] {
  if (operation.answer === '') return operation.action === 'connect' ? ['*/*'] : ['text/plain', ...objectTypes] // a log
  if (operation.custom) return customTypes
  return operation.watchable ? [...objectTypes, ...watchTypes] : objectTypes
}

function bodyTypes(operation: Operation): readonly string[] {
  if (operation.method === 'patch') return operation.custom ? customPatchTypes : patchTypes
  return operation.custom ? customTypes : ['*/*']
}

function pathV3(item: PathItem): Schema {
  const path: Schema = {}
  for (const operation of item.operations) {
    const schema = operation.answer === '' ? { type: 'string' } : { $ref: reference(operation.answer, 3) }
    const content = Object.fromEntries(answerTypes(operation).map((type) => [type, { schema }]))
    const responses: Schema = {}
    for (const code of operation.codes) responses[code] = { description: codeTexts[code], content }
    responses['401'] = { description: codeTexts[401] }
    path[operation.method] = {
      ...common(operation),
      ...(operation.parameters.length === 0 ? {} : { parameters: operation.parameters.map(parameterV3) }),
      ...(operation.body === undefined ? {} : { requestBody: bodyV3(operation, operation.body) }),
      responses,
    }
  }
  if (item.parameters.length > 0) path['parameters'] = item.parameters.map(parameterV3)
  return path
}

function bodyV3(operation: Operation, body: { readonly id: string; readonly required: boolean }): Schema {
  const schema = { $ref: reference(body.id, 3) }
  return { content: Object.fromEntries(bodyTypes(operation).map((type) => [type, { schema }])), ...(body.required ? { required: true } : {}) }
}

function parameterV3(parameter: Parameter): Schema {
  return { name: parameter.name, in: parameter.in, ...(parameter.in === 'path' ? { required: true } : {}), schema: { type: parameter.type, uniqueItems: true } }
}

function pathV2(item: PathItem): Schema {
  const path: Schema = {}
  for (const operation of item.operations) {
    const schema = operation.answer === '' ? { type: 'string' } : { $ref: reference(operation.answer, 2) }
    const responses: Schema = {}
    for (const code of operation.codes) responses[code] = { description: codeTexts[code], schema }
    responses['401'] = { description: codeTexts[401] }
    const body = operation.body
    const parameters: Schema[] = body === undefined ? [] : [{ name: 'body', in: 'body', ...(body.required ? { required: true } : {}), schema: { $ref: reference(body.id, 2) } }]
    parameters.push(...operation.parameters.map(parameterV2))
    path[operation.method] = {
      ...common(operation),
      consumes: bodyTypes(operation),
      produces: answerTypes(operation),
      schemes: ['https'],
      ...(parameters.length === 0 ? {} : { parameters }),
      responses,
    }
  }
  if (item.parameters.length > 0) path['parameters'] = item.parameters.map(parameterV2)
  return path
}

function parameterV2(parameter: Parameter): Schema {
  return { name: parameter.name, in: parameter.in, ...(parameter.in === 'path' ? { required: true } : {}), type: parameter.type, uniqueItems: true }
}
