/**
 * Reads Go's type declarations: what the published OpenAPI does not say is in the struct tags there
 * (protobuf numbers, pointers, omitempty, embedded structs, named scalars).
 *
 * It relies on gofmt's layout and is no parser for other Go.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'

export interface GoField {
  /** The Go name; for an embedded struct the name of its type. */
  readonly name: string
  readonly type: string
  readonly embedded: boolean
  readonly json: string
  readonly omitempty: boolean
  readonly omitzero: boolean
  /** 0 when the field is not in protobuf. */
  readonly wire: number
}

export interface GoType {
  readonly pkg: GoPackage
  readonly name: string
  readonly fields?: readonly GoField[]
  /** The type it is defined as, when it is no struct. */
  readonly underlying?: string
  /** `type A = B`: only another word for B. */
  readonly alias: boolean
  /** A slice that protobuf wraps in a message of its own. */
  readonly wrapped: boolean
  readonly imports: ReadonlyMap<string, string>
}

export interface GoPackage {
  readonly path: string
  readonly types: ReadonlyMap<string, GoType>
}

export class GoSource {
  private readonly packages = new Map<string, GoPackage>()
  private readonly dirOf: (module: string) => string

  constructor(dirOf: (module: string) => string) {
    this.dirOf = dirOf
  }

  package(path: string): GoPackage {
    const known = this.packages.get(path)
    if (known !== undefined) return known
    const words = path.split('/')
    const module = words.slice(0, 2).join('/')
    const dir = [this.dirOf(module), ...words.slice(2)].join('/')
    const types = new Map<string, GoType>()
    const pkg: GoPackage = { path, types }
    this.packages.set(path, pkg)
    if (!existsSync(dir)) return pkg
    for (const file of readdirSync(dir)) {
      if (!file.endsWith('.go') || file.endsWith('_test.go') || file.startsWith('zz_') || file.includes('generated')) continue
      parseFile(readFileSync(`${dir}/${file}`, 'utf8'), pkg, types)
    }
    return pkg
  }

  /** A type by its name as written inside `from`: `Pod`, `metav1.Time`. */
  lookup(from: GoType, name: string): GoType | undefined {
    const found = this.find(from, name)
    return found?.alias === true ? this.lookup(found, found.underlying ?? '') : found
  }

  /** The fields of a struct, also of one that is defined as another struct: `type A v1.A`. */
  structFields(type: GoType): { owner: GoType; fields: readonly GoField[] } | undefined {
    if (type.fields !== undefined) return { owner: type, fields: type.fields }
    const base = /^[\w.]+$/.test(type.underlying ?? '') ? this.lookup(type, type.underlying ?? '') : undefined
    return base === undefined ? undefined : this.structFields(base)
  }

  private find(from: GoType, name: string): GoType | undefined {
    const dot = name.indexOf('.')
    if (dot < 0) return from.pkg.types.get(name)
    const path = from.imports.get(name.slice(0, dot))
    return path?.startsWith('k8s.io/') === true ? this.package(path).types.get(name.slice(dot + 1)) : undefined
  }
}

function parseFile(text: string, pkg: GoPackage, types: Map<string, GoType>): void {
  const imports = parseImports(text)
  let comment = ''
  const lines = text.split('\n')
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] ?? ''
    if (line.startsWith('//')) {
      comment += line
      continue
    }
    const match = /^type (\w+) (=\s*)?(.+)$/.exec(line)
    if (match !== null) {
      const [, name = '', , rest = ''] = match
      const wrapped = comment.includes('protobuf.nullable=true')
      if (rest === 'struct {') {
        const fields: GoField[] = []
        for (i++; i < lines.length && lines[i] !== '}'; i++) {
          const field = parseField(lines[i] ?? '')
          if (field !== undefined) fields.push(field)
        }
        types.set(name, { pkg, name, fields, alias: false, wrapped, imports })
      } else if (rest === 'struct{}') {
        types.set(name, { pkg, name, fields: [], alias: false, wrapped, imports })
      } else {
        types.set(name, { pkg, name, underlying: rest.replace(/\s*\/\/.*$/, ''), alias: match[2] !== undefined, wrapped, imports })
      }
    }
    comment = ''
  }
}

function parseImports(text: string): Map<string, string> {
  const imports = new Map<string, string>()
  const block = /\nimport \(\n([\s\S]*?)\n\)/.exec(text)?.[1] ?? /\nimport (.*)\n/.exec(text)?.[1] ?? ''
  for (const line of block.split('\n')) {
    const match = /^\s*(?:(\S+)\s+)?"([^"]+)"/.exec(line)
    if (match?.[2] !== undefined) imports.set(match[1] ?? match[2].split('/').at(-1) ?? '', match[2])
  }
  return imports
}

function parseField(line: string): GoField | undefined {
  const match = /^\t(?:(\w+)\s+)?([\w.*[\]{}]+)\s+`(.*)`/.exec(line)
  if (match === null) return undefined
  const [, name, type = '', tags = ''] = match
  const [json = '', ...options] = (/json:"([^"]*)"/.exec(tags)?.[1] ?? '-').split(',')
  if (json === '-') return undefined
  const wire = Number(/protobuf:"\w+,(\d+),/.exec(tags)?.[1] ?? 0)
  return {
    name: name ?? type.replace(/^.*[.*]/, ''),
    type,
    embedded: json === '' && (name === undefined || options.includes('inline')),
    json,
    omitempty: options.includes('omitempty'),
    omitzero: options.includes('omitzero'),
    wire,
  }
}
