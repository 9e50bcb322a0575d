/**
 * The document of OpenAPI version 2 as text: that of the built-in kinds, and what each custom kind adds to it. Each part
 * is made once and kept as text, because there may be thousands of kinds, and one that comes changes nothing for the rest.
 */
import type { Kind } from '../api/kind.ts'
import { openApiV2, type OpenApiInput, type ServedResource } from '../api/schema/openapi.ts'
import { merged, type Swagger } from './aggregator/swagger.ts'

export type About = Pick<OpenApiInput, 'descriptions' | 'version'>

/** Members of JSON objects, without the braces. */
interface Part {
  readonly paths: string
  readonly definitions: string
}

interface Base extends Part {
  readonly kinds: readonly Kind[]
  /** Everything else, open at its end. */
  readonly head: string
  readonly known: ReadonlySet<string>
}

export class Swaggers {
  readonly #about: About
  readonly #resourceOf: (kind: Kind) => ServedResource
  #base: Base | undefined
  readonly #parts = new WeakMap<Kind, Part>()

  constructor(about: About, resourceOf: (kind: Kind) => ServedResource) {
    this.#about = about
    this.#resourceOf = resourceOf
  }

  /** The parts of other servers are laid into the whole: then it is read once more. */
  text(kinds: readonly Kind[], others: readonly Swagger[]): string {
    const own = this.#own(kinds)
    return others.length === 0 ? own : JSON.stringify(merged(JSON.parse(own) as Swagger, others))
  }

  #own(kinds: readonly Kind[]): string {
    const base = this.#baseOf(kinds.filter((kind) => kind.custom === undefined))
    const parts = [base, ...kinds.filter((kind) => kind.custom !== undefined).map((kind) => this.#part(kind, base))]
    const join = (of: keyof Part): string => parts.map((part) => part[of]).filter((text) => text !== '').join(',')
    return `${base.head},"paths":{${join('paths')}},"definitions":{${join('definitions')}}}`
  }

  #baseOf(kinds: readonly Kind[]): Base {
    const have = this.#base
    if (have?.kinds.length === kinds.length && kinds.every((kind, i) => kind === have.kinds[i])) return have
    const { paths = {}, definitions = {}, ...rest } = openApiV2({ ...this.#about, resources: kinds.map(this.#resourceOf) }) as Swagger
    return (this.#base = { kinds, head: JSON.stringify(rest).slice(0, -1), known: new Set(Object.keys(definitions)), paths: members(paths), definitions: members(definitions) })
  }

  #part(kind: Kind, { known }: Base): Part {
    let part = this.#parts.get(kind)
    if (part === undefined) {
      const { paths = {}, definitions = {} } = openApiV2({ ...this.#about, resources: [this.#resourceOf(kind)] }) as Swagger
      const own = Object.fromEntries(Object.entries(definitions).filter(([name]) => !known.has(name)))
      part = { paths: members(paths), definitions: members(own) }
      this.#parts.set(kind, part)
    }
    return part
  }
}

function members(values: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(values).slice(1, -1)
}
