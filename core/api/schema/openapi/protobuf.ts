/**
 * A document of OpenAPI version 2 as protobuf, in the messages that older clients of client-go read
 * (github.com/google/gnostic-models/openapiv2/OpenAPIv2.proto). Which document, is the caller's.
 */
import { memo } from '../../../lib/memo.ts'
import { renderYaml } from '../../codec/yaml.ts'
import { fixed64, varint, Writer } from '../../codec/wire.ts'

type Json = Readonly<Record<string, unknown>>

/**
 * How a field is written: a scalar; the name of a message; `*` before it: a list of such; `#` before it: an object whose names and
 * values are a list of pairs. `any` is a value as a text.
 */
type Form = string

/** By name in JSON: number and form. */
type Message = Readonly<Record<string, readonly [number: number, form: Form]>>

/** Fields from the words `name:form`, numbered as they stand. */
function fields(text: string): Message {
  const words = text.trim().split(/\s+/).map((word) => word.split(':'))
  return Object.fromEntries(words.map(([name = '', form = 'string'], i) => [name, [i + 1, form]]))
}

const limits = 'maximum:double exclusiveMaximum:bool minimum:double exclusiveMinimum:bool maxLength:int minLength:int pattern maxItems:int minItems:int uniqueItems:bool'
const value = (before: string): string => `${before} type format items:PrimitivesItems collectionFormat default:any ${limits} enum:*any multipleOf:double`

/** `^x` is where extensions stand. */
const messages: Readonly<Record<string, Message>> = {
  Document: fields('swagger info:Info host basePath schemes:*string consumes:*string produces:*string paths:Paths definitions:#Schema parameters:#Parameter responses:#Response security:*Requirement securityDefinitions:#Security tags:*Tag externalDocs:ExternalDocs ^x'),
  Info: fields('title version description termsOfService contact:Contact license:License ^x'),
  Contact: fields('name url email ^x'),
  License: fields('name url ^x'),
  Tag: fields('name description externalDocs:ExternalDocs ^x'),
  ExternalDocs: fields('description url ^x'),
  Path: fields('$ref get:Operation put:Operation post:Operation delete:Operation options:Operation head:Operation patch:Operation parameters:*ParametersItem ^x'),
  Operation: fields('tags:*string summary description externalDocs:ExternalDocs operationId produces:*string consumes:*string parameters:*ParametersItem responses:Responses schemes:*string deprecated:bool security:*Requirement ^x'),
  BodyParameter: fields('description name in required:bool schema:Schema ^x'),
  HeaderParameter: fields(`${value('required:bool in description name')} ^x`),
  FormParameter: fields(`${value('required:bool in description name allowEmptyValue:bool')} ^x`),
  PathParameter: fields(`${value('required:bool in description name')} ^x`),
  Reference: fields('$ref description'),
  PrimitivesItems: fields(`${value('').trim()} ^x`),
  Header: fields(`${value('').trim()} description ^x`),
  Response: fields('description schema:SchemaItem headers:#Header examples:#any ^x'),
  Schema: fields(`$ref format title description default:any multipleOf:double ${limits} maxProperties:int minProperties:int required:*string enum:*any additionalProperties:Additional type:Type items:Items allOf:*Schema properties:#Schema discriminator readOnly:bool xml:Xml externalDocs:ExternalDocs example:any ^x`),
  FileSchema: fields('format title description default:any required:*string type readOnly:bool externalDocs:ExternalDocs example:any ^x'),
  Xml: fields('name namespace prefix attribute:bool wrapped:bool ^x'),
  BasicSecurity: fields('type description ^x'),
  KeySecurity: fields('type name in description ^x'),
  ImplicitSecurity: fields('type flow scopes:#string authorizationUrl description ^x'),
  TokenSecurity: fields('type flow scopes:#string tokenUrl description ^x'),
  CodeSecurity: fields('type flow scopes:#string authorizationUrl tokenUrl description ^x'),
}

export function encodeOpenApiV2(document: Json): Uint8Array {
  const writer = new Writer()
  message(writer, 'Document', document)
  return writer.finish()
}

// The writer writes from the end to the beginning: what is to stand first is written last.

function message(writer: Writer, name: string, object: Json): void {
  const choice = choices[name]
  if (choice !== undefined) {
    choice(writer, object)
    return
  }
  for (const [key, [number, form]] of Object.entries(messages[name] ?? {}).toReversed()) {
    if (key === '^x') pairs(writer, number, 'any', object, isExtension)
    else if (object[key] !== undefined) field(writer, number, form, object[key])
  }
}

function field(writer: Writer, number: number, form: Form, of: unknown): void {
  if (form.startsWith('*')) {
    for (const item of (of as readonly unknown[]).toReversed()) single(writer, number, form.slice(1), item)
  } else if (form.startsWith('#')) {
    inner(writer, number, () => pairs(writer, 1, form.slice(1), of as Json))
  } else if (of !== '' && of !== 0 && of !== false) {
    single(writer, number, form, of)
  }
}

function single(writer: Writer, number: number, form: Form, of: unknown): void {
  if (form === 'string') inner(writer, number, () => writer.text(of as string))
  else if (form === 'any') inner(writer, number, () => single(writer, 2, 'string', yamlOf(of)))
  else if (form === 'double') {
    writer.double(of as number)
    writer.tag(number, fixed64)
  } else if (form === 'int' || form === 'bool') {
    writer.int(Number(of))
    writer.tag(number, varint)
  } else {
    inner(writer, number, () => message(writer, form, of as Json))
  }
}

/** Most extensions are the same few. */
const yamlOfJson = memo(4_096, (json) => renderYaml(JSON.parse(json)))
const yamlOf = (of: unknown): string => yamlOfJson(JSON.stringify(of))

function inner(writer: Writer, number: number, write: () => void): void {
  const before = writer.written
  write()
  writer.prefix(number, before)
}

function pairs(writer: Writer, number: number, form: Form, of: Json, wanted: (key: string) => boolean = () => true): void {
  for (const [key, item] of Object.entries(of).toReversed()) {
    if (!wanted(key)) continue
    inner(writer, number, () => {
      single(writer, 2, form, item)
      single(writer, 1, 'string', key)
    })
  }
}

const isExtension = (key: string): boolean => key.startsWith('x-')

/** Messages of another shape than the object they stand for: one of several, or a list without a name. */
const choices: Readonly<Record<string, (writer: Writer, of: Json) => void>> = {
  Paths(writer, of) {
    pairs(writer, 2, 'Path', of, (key) => !isExtension(key))
    pairs(writer, 1, 'any', of, isExtension)
  },
  Responses(writer, of) {
    pairs(writer, 2, 'any', of, isExtension)
    pairs(writer, 1, 'ResponseValue', of, (key) => !isExtension(key))
  },
  ResponseValue: (writer, of) => (of['$ref'] === undefined ? single(writer, 1, 'Response', of) : single(writer, 2, 'Reference', of)),
  ParametersItem: (writer, of) => (of['$ref'] === undefined ? single(writer, 1, 'Parameter', of) : single(writer, 2, 'Reference', of)),
  Parameter: (writer, of) => (of['in'] === 'body' ? single(writer, 1, 'BodyParameter', of) : single(writer, 2, 'OtherParameter', of)),
  OtherParameter(writer, of) {
    const [number, form] = ({ header: [1, 'HeaderParameter'], formData: [2, 'FormParameter'], query: [3, 'FormParameter'], path: [4, 'PathParameter'] } as const)[of['in'] as 'query'] ?? [3, 'FormParameter']
    single(writer, number, form, of)
  },
  SchemaItem: (writer, of) => (of['type'] === 'file' ? single(writer, 2, 'FileSchema', of) : single(writer, 1, 'Schema', of)),
  Additional: (writer, of) => (typeof of === 'boolean' ? single(writer, 2, 'bool', of) : single(writer, 1, 'Schema', of)),
  Type: (writer, of) => field(writer, 1, '*string', typeof of === 'string' ? [of] : of),
  Items: (writer, of) => field(writer, 1, '*Schema', Array.isArray(of) ? of : [of]),
  Requirement: (writer, of) => pairs(writer, 1, 'Names', of),
  Names: (writer, of) => field(writer, 1, '*string', of),
  Security(writer, of) {
    const oauth = { implicit: [3, 'ImplicitSecurity'], password: [4, 'TokenSecurity'], application: [5, 'TokenSecurity'], accessCode: [6, 'CodeSecurity'] } as const
    if (of['type'] === 'basic') single(writer, 1, 'BasicSecurity', of)
    else if (of['type'] === 'apiKey') single(writer, 2, 'KeySecurity', of)
    else {
      const [number, form] = oauth[of['flow'] as 'implicit'] ?? oauth.implicit
      single(writer, number, form, of)
    }
  },
}
