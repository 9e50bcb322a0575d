/**
 * A document of OpenAPI version 2 as one of version 3, for servers that have no other (k8s.io/kube-openapi/pkg/openapiconv).
 * Some is lost: version 2 says less. Pure.
 */
import type { Swagger } from './swagger.ts'

type Values = Readonly<Record<string, unknown>>

export function newer(old: Swagger): Values {
  return {
    openapi: '3.0.0',
    info: old['info'] ?? { title: 'Generic API Server', version: 'unknown' },
    paths: each(old.paths, (item) => pathItem(item as Values)),
    components: {
      schemas: each(old.definitions, schema),
      ...(Object.keys(old.parameters ?? {}).length === 0 ? {} : { parameters: each(old.parameters, (of) => parameter(of as Values)) }),
    },
  }
}

function each(values: Values | undefined, change: (value: unknown) => unknown): Values {
  return Object.fromEntries(Object.entries(values ?? {}).map(([name, value]) => [name, change(value)]))
}

const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch']

function pathItem(item: Values): Values {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => {
    if (name === 'parameters') return [name, (value as readonly Values[]).map(parameter)]
    return [name, methods.includes(name) ? operation(value as Values) : value]
  }))
}

function operation({ consumes, produces, schemes: _schemes, security: _security, parameters, responses, ...rest }: Values): Values {
  const all = (parameters ?? []) as readonly Values[]
  const body = all.find((of) => of['name'] === 'body' && of['schema'] !== undefined)
  const others = all.filter((of) => of !== body).map(parameter)
  return {
    ...rest,
    ...(others.length === 0 ? {} : { parameters: others }),
    ...(body === undefined ? {} : { requestBody: { content: content(consumes, body['schema']) } }),
    responses: each(responses as Values | undefined, (of) => response(of as Values, produces)),
  }
}

function content(types: unknown, of: unknown): Values {
  return Object.fromEntries(((types ?? []) as readonly string[]).map((type) => [type, { schema: schema(of) }]))
}

function response({ schema: of, ...rest }: Values, produces: unknown): Values {
  return of === undefined ? rest : { ...rest, content: content(produces, of) }
}

/** What a simple parameter said of itself, its schema says now. */
function parameter({ $ref, type, format, uniqueItems, schema: of, ...rest }: Values): Values {
  if (typeof $ref === 'string') return { $ref: $ref.replace('#/parameters/', '#/components/parameters/') }
  const simple = { ...(type === undefined ? {} : { type }), ...(format === undefined ? {} : { format }), ...(uniqueItems === undefined ? {} : { uniqueItems }) }
  return { ...rest, schema: of === undefined ? simple : schema(of) }
}

/** A reference stands alone: what is said beside it goes around it. */
function schema(of: unknown): unknown {
  if (typeof of !== 'object' || of === null) return of
  if (Array.isArray(of)) return of.map(schema)
  const { $ref, ...rest } = of as Values
  const around = Object.fromEntries(Object.entries(rest).map(([name, value]) => {
    if (name === 'properties') return [name, each(value as Values, schema)]
    return [name, name === 'items' || name === 'additionalProperties' || name === 'additionalItems' ? schema(value) : value]
  }))
  if (typeof $ref !== 'string') return around
  const reference = { $ref: $ref.replace('#/definitions/', '#/components/schemas/') }
  return Object.keys(around).length === 0 ? reference : { ...around, allOf: [reference] }
}
