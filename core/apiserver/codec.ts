/** The API server's view of core/api/codec: YAML and protobuf, of bodies and of whole answers. */
import { apiVersionOf, type AnyObject } from '../api/meta.ts'
import { decodeProtobuf, encodeProtobuf as encode } from '../api/codec/protobuf.ts'
import { unrecognized } from '../api/schema/validate.ts'
import { renderYaml } from '../api/codec/yaml.ts'
import type { Target } from './deps.ts'

/** undefined when the kind has no protobuf form. */
export function encodeProtobuf(object: Readonly<AnyObject>): Uint8Array | undefined {
  return encode(object)
}

/** Throws 400. */
export function decodeProtobufBody(body: Uint8Array, target: Target): unknown {
  const decoded = decodeProtobuf(body, target)
  if (!decoded.ok) throw unrecognized(target.kind, decoded.error, body)
  const { object } = decoded
  object['kind'] ??= target.kind
  object['apiVersion'] ??= apiVersionOf(target)
  return object
}

export function printYaml(value: object): string {
  return renderYaml(value)
}
