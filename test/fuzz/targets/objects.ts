/** Objects of built-in kinds, in JSON and protobuf, and the four kinds of patches to them. */
import { readFileSync } from 'node:fs'
import { parseJson } from '../../../core/api/codec/json.ts'
import { decodeProtobuf, encodeProtobuf } from '../../../core/api/codec/protobuf.ts'
import { parseYaml } from '../../../core/api/codec/yaml.ts'
import { customResourceDefinitions } from '../../../core/api/apiextensions/customresourcedefinition.ts'
import type { AnyObject } from '../../../core/api/meta.ts'
import { applyPatch } from '../../../core/api/patch/apply.ts'
import { applyJsonPatch, parseJsonPatch } from '../../../core/api/patch/json.ts'
import { applyMergePatch } from '../../../core/api/patch/merge.ts'
import { mergeStrategically } from '../../../core/api/patch/strategic.ts'
import { applyDefaults } from '../../../core/api/schema/defaults.ts'
import { decodeObject } from '../../../core/api/schema/validate.ts'
import { Draw } from '../../peers/generated/draw.ts'
import { mutated, type Json } from '../../peers/generated/mutate.ts'
import { jsonPatch, mergePatch, strategicPatch } from '../../peers/generated/patches.ts'
import { seeds } from '../../peers/generated/seeds.ts'
import { kinds } from '../../../core/api/kinds.ts'
import { kindOf } from './kindof.ts'
import { bytesOf, jsonOf, textTarget, type Target } from '../target.ts'

const goldenPath = new URL('../../golden/api/protobuf.jsonl', import.meta.url).pathname
const golden = readFileSync(goldenPath, 'utf8').trim().split('\n').map((line) => JSON.parse(line) as { readonly name: string; readonly protobuf: string; readonly json: unknown })
const deployments = seeds.find(({ kind }) => kind.plural === 'deployments')
const deployment = { ...deployments?.object, metadata: { name: 'd', namespace: 'x', resourceVersion: '5', uid: 'u' } } as unknown as AnyObject
const ofKind = kinds.find(({ plural }) => plural === 'deployments')
const env = { now: 0, user: 'fuzz' }

/** A few changes to the deployment, each as a patch. */
function patches(make: (draw: Draw, from: Json, to: Json) => unknown): readonly Uint8Array[] {
  return Array.from({ length: 30 }, (_, i) => {
    const draw = new Draw(i)
    const from = deployment as unknown as Json
    return deployments === undefined ? {} : make(draw, from, mutated(draw, from, deployments.definition, 3))
  }).flatMap((patch) => jsonOf(patch))
}

/** What parses is handed on; the rest was refused by the parser. */
function parsed(input: Uint8Array): unknown {
  const read = parseJson(new TextDecoder().decode(input))
  return read.ok ? read.value : undefined
}

/** As a create would take it: decoded, defaulted, and judged by its kind's rules. */
function judge(value: unknown): void {
  const kind = kindOf(value)
  if (kind === undefined) return
  const decoded = decodeObject<AnyObject>(kind.definition, structuredClone(value), { fieldValidation: 'Warn' })
  if (!decoded.ok) return
  const { object } = decoded
  object.metadata ??= {}
  kind.kind.strategy.unfold?.(object)
  applyDefaults(kind.kind, object)
  kind.kind.strategy.prepareCreate?.(object, env)
  const errors = kind.kind.strategy.validateCreate?.(object, env) ?? []
  kind.kind.strategy.warnings?.(object, undefined)
  if (errors.length > 0) return
  for (const column of kind.kind.columns) column.value(object, 0)
  kind.kind.strategy.validateUpdate?.(object, object, env)
}

export const objects: readonly Target[] = [
  { name: 'objects', corpus: jsonOf(...seeds.map(({ object }) => object), ...golden.map(({ json }) => json)), run: (input) => judge(parsed(input)), share: 0.6 },
  {
    name: 'changed objects', share: 0.6,
    corpus: bytesOf(...seeds.map((_, i) => String(i))),
    // The bytes are the seed of a change that knows the schema.
    run(input) {
      const draw = new Draw(input.reduce((sum, byte) => (sum * 257 + byte) >>> 0, 0))
      const seed = draw.one(seeds)
      judge(mutated(draw, seed.object, seed.definition, 1 + draw.int(4)))
    },
  },
  {
    name: 'protobuf', share: 1.4,
    corpus: [...golden.map(({ protobuf }) => Buffer.from(protobuf, 'base64')), ...seeds.flatMap(({ object }) => encodeProtobuf(object) ?? [])],
    run(input) {
      const decoded = decodeProtobuf(input)
      if (decoded.ok) encodeProtobuf(decoded.object)
    },
  },
  { name: 'json patch', corpus: patches(jsonPatch), run: (input) => applyJsonPatch(deployment as unknown as Json, parseJsonPatch(parsed(input))) },
  { name: 'merge patch', corpus: patches((_, from, to) => mergePatch(from, to)), run: (input) => applyMergePatch(deployment as unknown as Json, parsed(input)) },
  { name: 'strategic patch', corpus: patches((draw, from, to) => strategicPatch(draw, from, to, deployments?.definition)), run: (input) => mergeStrategically(deployment as unknown as Json, parsed(input), deployments?.definition).merged },
  textTarget('apply patch', patches((_draw, _from, to) => to).map((bytes) => new TextDecoder().decode(bytes)), (text) => {
    const read = parseYaml(text)
    if (!read.ok || typeof read.value !== 'object' || read.value === null || Array.isArray(read.value) || ofKind === undefined) return
    const applied = read.value as AnyObject
    const first = applyPatch({ live: undefined, applied, manager: 'a', force: false, kind: ofKind, now: 0 })
    if (first.conflict === undefined) applyPatch({ live: first.object, applied, manager: 'b', force: true, kind: ofKind, now: 1 })
  }, { share: 0.4 }),
  {
    name: 'definitions', share: 0.3,
    corpus: jsonOf({
      apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'as.example.com' },
      spec: { group: 'example.com', scope: 'Namespaced', names: { plural: 'as', kind: 'A' }, versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: { a: { type: 'string', pattern: '^a+$', default: 'a' }, b: { type: 'array', items: { type: 'integer' }, maxItems: 5 } }, 'x-kubernetes-validations': [{ rule: 'self.b.all(x, x > 0) || self.a == oldSelf.a' }] } } } }, additionalPrinterColumns: [{ name: 'A', type: 'string', jsonPath: '.spec.a' }] }] },
    }),
    run(input) {
      const value = parsed(input)
      if (kindOf(value)?.kind === customResourceDefinitions) judge(value)
    },
  },
]
