/** Every path and schema that upstream publishes is published here, and says the same (openapi.ts says what is left out). */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { kinds } from '../../core/api/kinds.ts'
import { noDescriptions } from '../../core/api/schema/descriptions.ts'
import { openApiV3 } from '../../core/api/schema/openapi.ts'
import { servedResource } from '../../core/apiserver/discovery.ts'
import { goldenPath, reduce, type Reduced } from './openapi.ts'

const golden = JSON.parse(readFileSync(goldenPath, 'utf8')) as Readonly<Record<string, Reduced>>

describe('OpenAPI version 3', () => {
  it.each(Object.entries(golden))('%s', (path, want) => {
    const document = openApiV3(path, { version: 'v1.36.3', descriptions: noDescriptions, resources: kinds.map(servedResource) })
    expect(reduce(document as Parameters<typeof reduce>[0])).toEqual(want)
  })
})
