/** Where a webhook may be: a URL, or a path of a Service (k8s.io/apiserver/pkg/util/webhook/validation.go). */
import type { Errors } from './checks.ts'
import { goQuote, invalidValue, required, type Path } from './field.ts'
import { dns1123Subdomain, portNumber } from './names.ts'

const form = '; desired format: https://host[/path]'

export function webhookUrl(errors: Errors, text: string, at: Path): void {
  const url = parseUrl(text)
  if (typeof url === 'string') {
    errors.push(required(at, `url must be a valid URL: parse ${goQuote(text)}: ${url}${form}`))
    return
  }
  if (url.scheme !== 'https') errors.push(invalidValue(at, url.scheme, `'https' is the only allowed URL scheme${form}`))
  if (url.host === '') errors.push(invalidValue(at, '', `host must be specified${form}`))
  if (url.user !== undefined) errors.push(invalidValue(at, url.user, 'user information is not permitted in the URL'))
  if (url.fragment !== '') errors.push(invalidValue(at, url.fragment, 'fragments are not permitted in the URL'))
  if (url.query !== '') errors.push(invalidValue(at, url.query, 'query parameters are not permitted in the URL'))
}

interface Url {
  readonly scheme: string
  readonly user: string | undefined
  readonly host: string
  readonly query: string
  readonly fragment: string
}

/** As much of Go's url.Parse as the rules ask for; a string is what it complains of. */
function parseUrl(text: string): Url | string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\x00-\x1f\x7f]/.test(text)) return 'net/url: invalid control character in URL'
  if (text.startsWith(':')) return 'missing protocol scheme'
  const escape = /%(?![0-9A-Fa-f]{2}).{0,2}/.exec(text)
  if (escape !== null) return `invalid URL escape ${goQuote(escape[0])}`
  const [, scheme = '', slashes, authority = '', path = '', query = '', fragment = ''] =
    /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/.exec(text) ?? []
  if (scheme === '' && slashes === undefined && /^[^/]*:/.test(path)) return 'first path segment in URL cannot contain colon'
  const userEnd = authority.lastIndexOf('@')
  const host = authority.slice(userEnd + 1)
  if (host.includes(' ')) return 'invalid character " " in host name'
  const port = /:([^:\]]*)$/.exec(host)?.[1]
  if (port !== undefined && /\D/.test(port)) return `invalid port ${goQuote(`:${port}`)} after host`
  return { scheme: scheme.toLowerCase(), user: userEnd < 0 ? undefined : authority.slice(0, userEnd), host, query, fragment }
}

export interface ServicePlace {
  readonly namespace?: string
  readonly name?: string
  readonly path?: string
  readonly port?: number
}

export function webhookService(errors: Errors, { namespace = '', name = '', path, port = 0 }: ServicePlace, at: Path): void {
  if (name === '') errors.push(required(at.child('name')))
  if (namespace === '') errors.push(required(at.child('namespace')))
  const wrongPort = portNumber(port)
  if (wrongPort.length > 0) errors.push(invalidValue(at.child('port'), port, `port is not valid: ${wrongPort.join(', ')}`))
  if (path !== undefined) servicePath(errors, path, at.child('path'))
}

function servicePath(errors: Errors, path: string, at: Path): void {
  if (path === '/' || path === '') return
  if (path === '//') {
    errors.push(invalidValue(at, path, 'segment[0] may not be empty'))
    return
  }
  if (!path.startsWith('/')) errors.push(invalidValue(at, path, "must start with a '/'"))
  path.slice(1).replace(/\/$/, '').split('/').forEach((step, i) => {
    if (step === '') errors.push(invalidValue(at, path, `segment[${i}] may not be empty`))
    else for (const sentence of dns1123Subdomain(step)) errors.push(invalidValue(at, path, `segment[${i}]: ${sentence}`))
  })
}
