import { describe, expect, it } from 'vitest'
import { readDocuments } from './documents.ts'

const read = (text: string): ReturnType<typeof readDocuments> => readDocuments([{ name: 'f.yaml', text }])

describe('readDocuments()', () => {
  it('reads several documents and unfolds lists, each with its place', () => {
    const { documents, problems } = read('{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n---\n\n---\n{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Secret, metadata: {name: b}}, {apiVersion: v1, kind: Secret, metadata: {name: c}}]}')
    expect(problems).toEqual([])
    expect(documents.map(({ source, object }) => [source, object.metadata.name])).toEqual([['f.yaml#1', 'a'], ['f.yaml#2', 'b'], ['f.yaml#2', 'c']])
  })

  it.each([
    ['a: b: c', 'f.yaml cannot be read: yaml: mapping values are not allowed in this context'],
    ['just words', 'f.yaml holds "just words", where an object should be'],
    ['- a', 'f.yaml holds a list, where an object should be'],
    ['kind: Pod', 'f.yaml has no apiVersion'],
    ['apiVersion: v1', 'f.yaml has no kind'],
    ['{apiVersion: v1, kind: Pod}', 'f.yaml (Pod) has no metadata'],
    ['{apiVersion: v1, kind: Pod, metadata: {}}', 'f.yaml (Pod) has no metadata.name'],
    ['{apiVersion: v1, kind: Pod, metadata: {generateName: x-}}', 'f.yaml (Pod x-): cannot use generate name with apply'],
  ])('says what is wrong with %j', (text, problem) => {
    expect(read(text)).toEqual({ documents: [], problems: [problem] })
  })
})
