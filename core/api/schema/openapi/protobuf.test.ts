/** A document as protobuf is byte for byte what gnostic's encoder makes of it (test/golden/api/openapiv2.json). */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { encodeOpenApiV2 } from './protobuf.ts'

const golden = JSON.parse(readFileSync(new URL('../../../../test/golden/api/openapiv2.json', import.meta.url), 'utf8')) as { readonly document: Record<string, unknown>; readonly protobuf: string }

it('encodes every sort of parameter, response, schema and security as upstream does', () => {
  expect(Buffer.from(encodeOpenApiV2(golden.document)).toString('base64')).toBe(golden.protobuf)
})
