/**
 * What a request asks for, read from its method, path and query alone: verb, group, version, resource, namespace,
 * name, subresource. The rules are upstream's (k8s.io/apiserver/pkg/endpoints/request/requestinfo.go). Whether such a
 * resource exists and may be asked for is not known here.
 */

export interface RequestInfo {
  readonly method: string
  readonly path: string
  readonly query: Query
  /** False for everything outside /api/VERSION and /apis/GROUP/VERSION: discovery, health, metrics. */
  readonly isResource: boolean
  /** get, list, watch, create, update, patch, delete, deletecollection; for paths the method in lower case. */
  readonly verb: string
  readonly group: string
  readonly version: string
  readonly resource: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
  /** What follows the subresource: the path that a proxy forwards. */
  readonly rest: string
}

/** Query parameters, decoded; a parameter that comes twice counts with its first value where one is wanted. */
export class Query {
  readonly raw: string
  #params: URLSearchParams | undefined

  constructor(raw: string) {
    this.raw = raw
  }

  static of(values: Readonly<Record<string, string>>): Query {
    return new Query(new URLSearchParams(values).toString())
  }

  get params(): URLSearchParams {
    return (this.#params ??= new URLSearchParams(this.raw))
  }

  get(name: string): string | undefined {
    if (this.raw === '') return undefined
    return this.params.get(name) ?? undefined
  }

  all(name: string): readonly string[] {
    return this.raw === '' ? [] : this.params.getAll(name)
  }

  /** Upstream's reading of booleans: there, and neither "false" nor "0". */
  flag(name: string): boolean {
    const value = this.get(name)
    return value !== undefined && value.toLowerCase() !== 'false' && value !== '0'
  }
}

const emptyQuery = new Query('')
const verbs: Readonly<Record<string, string>> = {
  POST: 'create',
  GET: 'get',
  HEAD: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
}
/** Under /namespaces/NAME these are subresources of the namespace; anything else is a resource inside it. */
const namespaceSubresources = new Set(['status', 'finalize'])

export function parseRequest(method: string, url: string): RequestInfo {
  const mark = url.indexOf('?')
  const path = mark < 0 ? url : url.slice(0, mark)
  const query = mark < 0 ? emptyQuery : new Query(url.slice(mark + 1))
  const parts = path.split('/')
  // A leading slash makes parts[0] empty; /api/v1/x is ['', 'api', 'v1', 'x'].
  const groupless = parts[1] === 'api'
  const from = groupless ? 3 : 4
  if (
    (!groupless && parts[1] !== 'apis') ||
    parts.length <= from ||
    (parts.length === from + 1 && parts[from] === '')
  ) {
    return pathRequest(method, path, query)
  }
  return resourceRequest(method, path, query, {
    group: groupless ? '' : (parts[2] ?? ''),
    version: parts[from - 1] ?? '',
    parts: trimEnd(parts.slice(from)),
    raw: parts.slice(from),
  })
}

function pathRequest(method: string, path: string, query: Query): RequestInfo {
  const verb = method.toLowerCase()
  return {
    method,
    path,
    query,
    isResource: false,
    verb,
    group: '',
    version: '',
    resource: '',
    subresource: '',
    namespace: '',
    name: '',
    rest: '',
  }
}

interface Parts {
  readonly group: string
  readonly version: string
  readonly parts: readonly string[]
  readonly raw: readonly string[]
}

function resourceRequest(
  method: string,
  path: string,
  query: Query,
  { group, version, parts: whole, raw }: Parts,
): RequestInfo {
  let verb = verbs[method] ?? ''
  let parts = whole
  let skipped = 0
  if (parts[0] === 'watch' && parts.length > 1) {
    verb = 'watch'
    parts = parts.slice(1)
    skipped = 1
  }
  let namespace = ''
  if (parts[0] === 'namespaces' && parts.length > 1) {
    namespace = decode(parts[1] ?? '')
    if (parts.length > 2 && !namespaceSubresources.has(parts[2] ?? '')) {
      parts = parts.slice(2)
      skipped += 2
    }
  }
  const resource = parts[0] ?? ''
  let name = decode(parts[1] ?? '')
  const subresource = parts[2] ?? ''
  if (name === '' && verb === 'get') verb = query.flag('watch') ? 'watch' : 'list'
  if (name === '' && verb === 'delete') verb = 'deletecollection'
  if (name === '' && (verb === 'list' || verb === 'watch')) name = pinnedName(query)
  const rest = subresource === '' ? '' : raw.slice(skipped + 3).join('/')
  return { method, path, query, isResource: true, verb, group, version, resource, subresource, namespace, name, rest }
}

/** A field selector metadata.name=x makes the request about that name, so that RBAC's resourceNames can allow it. */
function pinnedName(query: Query): string {
  const selector = query.get('fieldSelector')
  if (selector === undefined || !selector.includes('metadata.name')) return ''
  for (const term of selector.split(',')) {
    const match = /^metadata\.name={1,2}([^=!,]+)$/.exec(term.trim())
    if (match?.[1] !== undefined)
      return /^[^/%]+$/.test(match[1]) && match[1] !== '.' && match[1] !== '..' ? match[1] : ''
  }
  return ''
}

function trimEnd(parts: string[]): string[] {
  while (parts.length > 0 && parts.at(-1) === '') parts.pop()
  return parts
}

function decode(part: string): string {
  if (!part.includes('%')) return part
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
