/** kubernetes.urls: URLs in expressions (k8s.io/apiserver/pkg/cel/library/urls.go). How they are read is uri.ts. */
import { Entries } from '../access.ts'
import type { Library } from '../library.ts'
import { scaled } from '../range.ts'
import { bool, list, map, opaque, string } from '../type.ts'
import { CelError, OpaqueValue, type MapValue } from '../value.ts'
import { sameSizeEstimate, stringFactor, traversalCost } from './cost.ts'
import { declare, member, overload } from './declare.ts'
import { listOf } from './elements.ts'
import { escapedPath, hostAndPort, queryOf, readRequestUri, readUri, textOf, writeUri, type Uri } from './uri.ts'

const urlType = opaque('kubernetes.URL', (size) => scaled({ min: 1, max: size?.max ?? 1 }, stringFactor))

export class Url extends OpaqueValue {
  readonly type = urlType
  readonly uri: Uri

  constructor(uri: Uri) {
    super()
    this.uri = uri
  }

  override equals(other: OpaqueValue): boolean {
    if (!(other instanceof Url)) throw new CelError('no such overload')
    return writeUri(this.uri) === writeUri(other.uri)
  }
}

const part = (name: string, id: string, get: (uri: Uri) => string) => declare(name, member(id, [urlType], string, (url: Url) => textOf(get(url.uri))))

export const urlsLibrary: Library = {
  name: 'kubernetes.urls',
  functions: [
    declare('url', overload('string_to_url', [string], urlType, readUrl, { cost: traversalCost(), estimate: sameSizeEstimate })),
    // Reading costs nothing here: upstream's cost model does not know this function.
    declare('isURL', overload('is_url_string', [string], bool, (text: string) => readRequestUri(text).ok)),
    part('getScheme', 'url_get_scheme', (uri) => uri.scheme),
    part('getHost', 'url_get_host', (uri) => uri.host),
    part('getHostname', 'url_get_hostname', (uri) => hostAndPort(uri)[0]),
    part('getPort', 'url_get_port', (uri) => hostAndPort(uri)[1]),
    part('getEscapedPath', 'url_get_escaped_path', escapedPath),
    declare('getQuery', member('url_get_query', [urlType], map(string, list(string)), getQuery)),
  ],
}

/** Strictly first: requests must have whole URLs. Then again, for the fragment. */
function readUrl(text: string): Url {
  const strict = readRequestUri(text)
  const read = strict.ok ? readUri(text) : strict
  if (!read.ok) throw new CelError(`URL parse error during conversion from string: ${read.error}`)
  return new Url(read.uri)
}

function getQuery(url: Url): MapValue {
  const query = new Entries()
  for (const [name, values] of queryOf(url.uri)) query.set(name, listOf(values))
  return query
}
