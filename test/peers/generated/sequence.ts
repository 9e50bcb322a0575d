/**
 * Requests on one object, in order: it is made, read, changed, patched in every way, listed, taken away. What the requests are follows
 * from the seed alone; both servers get the same. The generator keeps its own idea of the object, which need not be true.
 */
import { encodeProtobuf } from '../../../core/api/codec/protobuf.ts'
import { renderYaml } from '../../../core/api/codec/yaml.ts'
import type { Case } from '../case.ts'
import type { Draw } from './draw.ts'
import { hasTwice, mutated, textOf, type Json } from './mutate.ts'
import { jsonPatch, mergePatch, strategicPatch } from './patches.ts'
import type { Seed } from './seeds.ts'

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'
const managers = ['a', 'b', 'kubectl', 'kubectl-client-side-apply', '']
const stepsMax = 7

export interface Place {
  readonly number: number
  readonly namespace: string
  readonly custom: boolean
}

export function sequenceOf(draw: Draw, seed: Seed, { number, namespace, custom }: Place): readonly Case[] {
  const fill = (text: string): string => text.replaceAll('{n}', String(number)).replaceAll('{ns}', namespace)
  const object = JSON.parse(fill(JSON.stringify(seed.object))) as Json
  const made = new Sequence(draw, seed, object, { number, namespace, custom, fill })
  return made.cases()
}

interface Means extends Place {
  readonly fill: (text: string) => string
}

class Sequence {
  readonly #draw: Draw
  readonly #seed: Seed
  readonly #means: Means
  readonly #name: string
  readonly #collection: string
  readonly #made: Case[] = []
  #object: Json

  constructor(draw: Draw, seed: Seed, object: Json, means: Means) {
    this.#draw = draw
    this.#seed = seed
    this.#means = means
    this.#object = object
    this.#name = means.fill(seed.name)
    const { group, version, plural, namespaced } = seed.kind
    this.#collection = `${group === '' ? `/api/${version}` : `/apis/${group}/${version}`}${namespaced ? `/namespaces/${means.namespace}` : ''}/${plural}`
  }

  cases(): readonly Case[] {
    const draw = this.#draw
    this.#begin()
    for (let i = 0, steps = 1 + draw.int(stepsMax); i < steps; i++) this.#step()
    this.#add('clear', { method: 'DELETE', path: `${this.#path()}?gracePeriodSeconds=0`, compare: 'code' })
    this.#add('clear the finalizers', { method: 'PATCH', path: this.#path(), type: 'application/merge-patch+json', body: { metadata: { finalizers: null } }, compare: 'code' })
    return this.#made
  }

  #add(title: string, one: Omit<Case, 'name'>): void {
    this.#made.push({ name: `${this.#means.number} ${this.#seed.kind.plural} ${this.#made.length}: ${title}`, ...one })
  }

  #path(part = ''): string {
    return `${this.#collection}/${this.#name}${part}`
  }

  #begin(): void {
    const draw = this.#draw
    // Labels and annotations are what selectors and client-side apply look at.
    const metadata = this.#object['metadata'] as Json
    metadata['labels'] = { gen: `g${this.#means.number}`, app: draw.one(['a', 'b']), ...(metadata['labels'] as object | undefined) }
    if (draw.chance(0.15)) metadata['annotations'] = { [lastApplied]: `${JSON.stringify(this.#object)}\n` }
    if (draw.chance(0.1)) metadata['finalizers'] = ['example.com/wait']
    if (draw.chance(0.45)) this.#create('create as mutated', mutated(draw, this.#object, this.#seed.definition, 1 + draw.int(3)))
    if (draw.chance(0.15)) this.#apply()
    this.#create('create', this.#object)
  }

  #step(): void {
    const { kind } = this.#seed
    this.#draw.weighted<void>([
      [4, () => this.#put()],
      [3, () => this.#patch('application/json-patch+json')],
      [3, () => this.#patch('application/merge-patch+json')],
      [4, () => this.#patch('application/strategic-merge-patch+json')],
      [5, () => this.#apply()],
      [kind.withStatus ? 3 : 0.2, () => this.#status()],
      [kind.scaled ? 2 : 0.1, () => this.#scale()],
      [kind.subresources.length > 0 ? 1 : 0.05, () => this.#part()],
      [1, () => this.#get()],
      [2, () => this.#list()],
      [0.15, () => this.#watch()],
      [1, () => this.#delete()],
      [0.4, () => this.#deleteCollection()],
      [1, () => this.#create('create again as mutated', this.#mutated())],
    ])
  }

  #mutated(): Json {
    return mutated(this.#draw, this.#object, this.#seed.definition, 1 + this.#draw.int(3))
  }

  /** Options of writes that anybody may add. */
  #query(...more: readonly string[]): string {
    const draw = this.#draw
    const query = [...more]
    if (draw.chance(0.3)) query.push(`fieldValidation=${draw.one(['Strict', 'Warn', 'Ignore', 'strict', ''])}`)
    if (draw.chance(0.1)) query.push(`dryRun=${draw.one(['All', 'All', 'all', ''])}`)
    if (draw.chance(0.1)) query.push(`fieldManager=${draw.one([...managers, 'a%0Ab', 'x'.repeat(129)])}`)
    if (draw.chance(0.05)) query.push('pretty=true')
    return query.length === 0 ? '' : `?${query.join('&')}`
  }

  /** Body and its type: JSON, or YAML, or protobuf where the object is what its kind says. */
  #body(object: Json): Pick<Case, 'body' | 'type' | 'binary'> {
    const draw = this.#draw
    if (draw.chance(0.15) && !hasTwice(object)) return { body: renderYaml(object), type: 'application/yaml' }
    if (draw.chance(0.1) && !this.#means.custom) {
      try {
        const bytes = encodeProtobuf(object)
        if (bytes !== undefined) return { binary: Buffer.from(bytes).toString('base64'), type: 'application/vnd.kubernetes.protobuf' }
      } catch {
        // Not what its kind says: sent as JSON.
      }
    }
    return { body: textOf(object) }
  }

  #create(title: string, object: Json): void {
    this.#add(title, { method: 'POST', path: `${this.#collection}${title === 'create' ? '' : this.#query()}`, ...this.#body(object), save: { version: 'metadata.resourceVersion', uid: 'metadata.uid' } })
  }

  #put(): void {
    const draw = this.#draw
    const object = this.#mutated()
    const metadata = object['metadata']
    if (typeof metadata === 'object' && metadata !== null && draw.chance(0.4)) Object.assign(metadata, draw.one([{ resourceVersion: '{{version}}' }, { resourceVersion: '1' }, { resourceVersion: 'x' }, { uid: '{{uid}}' }, { uid: 'x' }, { generation: 7 }]))
    this.#add('put', { method: 'PUT', path: `${this.#path()}${this.#query()}`, ...this.#body(object) })
    if (draw.chance(0.5)) this.#object = structuredClone(object)
  }

  #patch(type: string): void {
    const draw = this.#draw
    const next = this.#mutated()
    const patch = type.includes('json-patch') ? jsonPatch(draw, this.#object, next) : type.includes('strategic') ? strategicPatch(draw, this.#object, next, this.#seed.definition) : mergePatch(this.#object, next)
    this.#add(type.split(/[/+]/)[1] ?? type, { method: 'PATCH', path: `${this.#path()}${this.#query()}`, type, body: textOf(patch) })
  }

  #apply(): void {
    const draw = this.#draw
    const object = draw.chance(0.4) ? this.#object : this.#mutated()
    const { metadata, ...fields } = object
    const parts = Object.keys(fields)
    const dropped = draw.chance(0.3) && parts.length > 0 ? draw.one(parts) : undefined
    const sent = Object.fromEntries(Object.entries(object).filter(([key]) => key !== dropped || key === 'kind' || key === 'apiVersion'))
    const query = this.#query(...(draw.chance(0.97) ? [`fieldManager=${draw.one(managers)}`] : []), ...(draw.chance(0.4) ? [`force=${draw.one(['true', 'true', 'false', '1'])}`] : []))
    const body = hasTwice(metadata) || hasTwice(sent) || draw.chance(0.5) ? textOf(sent) : renderYaml(sent)
    this.#add('apply', { method: 'PATCH', path: `${this.#path()}${query}`, type: draw.chance(0.9) ? 'application/apply-patch+yaml' : 'application/apply-patch+json', body })
  }

  #status(): void {
    const draw = this.#draw
    const next = this.#mutated()
    const path = `${this.#path('/status')}${this.#query()}`
    const filled = mutated(draw, { ...next, status: next['status'] ?? {} }, this.#seed.definition, 2)
    draw.weighted<void>([
      [2, () => this.#add('put status', { method: 'PUT', path, ...this.#body(filled) })],
      [2, () => this.#add('merge status', { method: 'PATCH', path, type: 'application/merge-patch+json', body: textOf(mergePatch(this.#object, filled)) })],
      [2, () => this.#add('strategic status', { method: 'PATCH', path, type: 'application/strategic-merge-patch+json', body: textOf(strategicPatch(draw, this.#object, filled, this.#seed.definition)) })],
      [2, () => this.#add('apply status', { method: 'PATCH', path: `${this.#path('/status')}${this.#query('fieldManager=s', 'force=true')}`, type: 'application/apply-patch+yaml', body: textOf(filled) })],
      [1, () => this.#add('get status', { path })],
    ])
  }

  #scale(): void {
    const draw = this.#draw
    const replicas = draw.one<unknown>([0, 1, 5, -1, null, 'x', 2_147_483_648])
    const path = `${this.#path('/scale')}${this.#query()}`
    const scale = { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: this.#name, namespace: this.#means.namespace, ...(draw.chance(0.2) ? { resourceVersion: draw.one(['{{version}}', '1', 'x']) } : {}) }, spec: { replicas } }
    draw.weighted<void>([
      [2, () => this.#add('put scale', { method: 'PUT', path, body: textOf(draw.chance(0.8) ? scale : { ...scale, kind: 'Deployment', nonsense: 1 }) })],
      [2, () => this.#add('merge scale', { method: 'PATCH', path, type: 'application/merge-patch+json', body: textOf({ spec: { replicas }, ...(draw.chance(0.2) ? { status: { replicas: 9 } } : {}) }) })],
      [1, () => this.#add('json scale', { method: 'PATCH', path, type: 'application/json-patch+json', body: textOf([{ op: draw.one(['replace', 'add', 'remove', 'test']), path: '/spec/replicas', value: replicas }]) })],
      [1, () => this.#add('apply scale', { method: 'PATCH', path: `${this.#path('/scale')}${this.#query('fieldManager=scaler')}`, type: 'application/apply-patch+yaml', body: textOf(scale) })],
      [1, () => this.#add('get scale', { path })],
    ])
  }

  /** Subresources that are parts of the object; those that lead to a node are not asked for. */
  #part(): void {
    const draw = this.#draw
    const part = draw.one(['ephemeralcontainers', 'resize', 'approval', 'finalize', 'eviction', 'binding', 'nonsense'])
    const path = `${this.#path(`/${part}`)}${this.#query()}`
    const next = this.#mutated()
    if (part === 'eviction') return this.#add('evict', { method: 'POST', path, body: textOf({ apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: this.#name, namespace: this.#means.namespace } }) })
    if (part === 'binding') return this.#add('bind', { method: 'POST', path, body: textOf({ metadata: { name: this.#name }, target: draw.one<unknown>([{ kind: 'Node', name: 'n' }, { name: '' }, {}, { kind: 'Pod', name: 'n' }]) }) })
    if (draw.chance(0.5)) return this.#add(`put ${part}`, { method: 'PUT', path, ...this.#body(next) })
    this.#add(`patch ${part}`, { method: 'PATCH', path, type: 'application/strategic-merge-patch+json', body: textOf(strategicPatch(draw, this.#object, next, this.#seed.definition)) })
  }

  #accept(): Pick<Case, 'headers'> {
    const accept = this.#draw.one(['application/json', 'application/json', 'application/json', 'application/json;as=Table;v=v1;g=meta.k8s.io', 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io', 'application/vnd.kubernetes.protobuf'])
    return { headers: { accept: accept.includes('protobuf') && this.#means.custom ? 'application/json' : accept } }
  }

  #get(): void {
    this.#add('get', { path: `${this.#path()}${this.#draw.one(['', '', '?resourceVersion=0', '?resourceVersion={{version}}', '?resourceVersion=x'])}`, ...this.#accept() })
  }

  #selectors(): string[] {
    const draw = this.#draw
    const n = this.#means.number
    const labels = [`gen=g${n}`, `gen=g${n},app=a`, `gen=g${n},app!=a`, `gen in (g${n},x)`, `gen=g${n},app notin (b)`, `gen=g${n},!app`, `gen==g${n},app`, 'gen=nothing', 'gen>5', 'gen=a b', '=', 'gen in ()', 'gen in (', ',', 'é', `gen=g${n},`]
    const fields = [`metadata.name=${this.#name}`, `metadata.name!=${this.#name}`, `metadata.namespace=${this.#means.namespace}`, 'metadata.labels=x', 'status.phase=Pending', 'spec.nodeName=', 'type=Opaque', 'x', '=', 'metadata.name=a,metadata.name=b', 'metadata.name==\\,', 'metadata.name=a\\b']
    const query = [`labelSelector=${encodeURIComponent(draw.chance(0.8) ? draw.one(labels.slice(0, 8)) : draw.one(labels))}`]
    if (draw.chance(0.3)) query.push(`fieldSelector=${encodeURIComponent(draw.one(fields))}`)
    return query
  }

  #list(): void {
    const draw = this.#draw
    const query = this.#selectors()
    if (draw.chance(0.3)) query.push(`limit=${draw.one(['1', '0', '-1', 'x', '500'])}`)
    if (draw.chance(0.3)) query.push(`resourceVersion=${draw.one(['0', '{{version}}', 'x', '-1'])}`)
    if (draw.chance(0.25)) query.push(`resourceVersionMatch=${draw.one(['NotOlderThan', 'Exact', 'x', ''])}`)
    if (draw.chance(0.1)) query.push(`continue=${draw.one(['x', 'eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiJhIn0', '', '%00'])}`)
    if (draw.chance(0.05)) query.push('sendInitialEvents=true')
    if (draw.chance(0.05)) query.push(`timeoutSeconds=${draw.one(['5', 'x', '-1'])}`)
    this.#add('list', { path: `${this.#collection}?${query.join('&')}`, ...this.#accept() })
  }

  #watch(): void {
    const draw = this.#draw
    const query = ['watch=1', 'timeoutSeconds=1', ...this.#selectors(), `resourceVersion=${draw.one(['{{version}}', '0', 'x', '1'])}`]
    if (draw.chance(0.2)) query.push(`resourceVersionMatch=${draw.one(['NotOlderThan', 'Exact'])}`)
    if (draw.chance(0.2)) query.push(`sendInitialEvents=${draw.one(['true', 'false'])}`)
    if (draw.chance(0.2)) query.push('allowWatchBookmarks=false')
    this.#add('watch', { path: `${this.#collection}?${query.join('&')}` })
  }

  #deleteOptions(): Json {
    const draw = this.#draw
    const options: Json = {}
    if (draw.chance(0.4)) options['propagationPolicy'] = draw.one(['Orphan', 'Background', 'Foreground', 'x', ''])
    if (draw.chance(0.3)) options['preconditions'] = draw.one<unknown>([{ uid: '{{uid}}' }, { uid: 'x' }, { resourceVersion: '1' }, { resourceVersion: '{{version}}' }, {}])
    if (draw.chance(0.3)) options['gracePeriodSeconds'] = draw.one([0, 5, -1, 'x'])
    if (draw.chance(0.1)) options['orphanDependents'] = draw.one([true, false])
    if (draw.chance(0.1)) options['dryRun'] = draw.one<unknown>([['All'], ['x'], 'All'])
    if (draw.chance(0.1)) options['nonsense'] = 1
    return options
  }

  #delete(): void {
    const draw = this.#draw
    const query = draw.chance(0.3) ? draw.one(['?propagationPolicy=Foreground', '?gracePeriodSeconds=x', '?dryRun=All', '?orphanDependents=true', '?propagationPolicy=x', '?gracePeriodSeconds=3']) : ''
    this.#add('delete', { method: 'DELETE', path: `${this.#path()}${query}`, ...(draw.chance(0.6) ? { body: textOf(this.#deleteOptions()) } : {}) })
  }

  #deleteCollection(): void {
    this.#add('delete collection', { method: 'DELETE', path: `${this.#collection}?labelSelector=gen%3Dg${this.#means.number}`, ...(this.#draw.chance(0.5) ? { body: textOf(this.#deleteOptions()) } : {}) })
  }
}
