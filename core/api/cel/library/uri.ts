/**
 * URLs as Go's net/url reads, takes apart and writes them, with its sentences for what is wrong. Go's strings are
 * bytes: here text is turned into one character a byte while it is worked on.
 */
import { parseAddress } from './addresses.ts'
import { quote } from './quote.ts'

export interface Uri {
  readonly scheme: string
  /** What follows a scheme without a slash. */
  readonly opaque: string
  readonly user: string | undefined
  readonly host: string
  /** Nothing stands where the host would. */
  readonly omitHost: boolean
  readonly path: string
  /** The path as it was written, where Go would write it differently. */
  readonly rawPath: string
  readonly query: string
  /** There is a `?` with nothing behind it. */
  readonly emptyQuery: boolean
  readonly fragment: string
  readonly rawFragment: string
}

/** What is wrong with a URL, without the URL. */
class UriError extends Error {}

export type ReadUri = { readonly ok: true; readonly uri: Uri } | { readonly ok: false; readonly error: string }

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

const bytesOf = (text: string): string => (/^[\0-\x7f]*$/.test(text) ? text : Array.from(encoder.encode(text), (byte) => String.fromCharCode(byte)).join(''))
export const textOf = (bytes: string): string => (/^[\0-\x7f]*$/.test(bytes) ? bytes : decoder.decode(Uint8Array.from(bytes, (c) => c.charCodeAt(0))))

/** An absolute URL or an absolute path, as requests have them; `#` is no more than a character. */
export function readRequestUri(text: string): ReadUri {
  return caught(text, () => read(bytesOf(text), true))
}

/** Any URL, with its fragment. */
export function readUri(text: string): ReadUri {
  const [front, fragment] = cut(text, '#')
  const uri = caught(front, () => read(bytesOf(front), false))
  if (!uri.ok || fragment === '') return uri
  return caught(text, () => {
    const raw = bytesOf(fragment)
    const plain = unescape(raw, 'fragment')
    return { ...uri.uri, fragment: plain, rawFragment: escape(plain, 'fragment') === raw ? '' : raw }
  })
}

function caught(text: string, make: () => Uri): ReadUri {
  try {
    return { ok: true, uri: make() }
  } catch (error) {
    if (!(error instanceof UriError)) throw error
    return { ok: false, error: `parse ${quote(text)}: ${error.message}` }
  }
}

const nothing: Uri = {
  scheme: '', opaque: '', user: undefined, host: '', omitHost: false, path: '', rawPath: '', query: '', emptyQuery: false, fragment: '', rawFragment: '',
}

function read(text: string, ofRequest: boolean): Uri {
  if (/[^ -~\x80-\xff]/.test(text)) throw new UriError('net/url: invalid control character in URL')
  if (text === '' && ofRequest) throw new UriError('empty url')
  if (text === '*') return { ...nothing, path: '*' }
  const [scheme, afterScheme] = schemeOf(text)
  const emptyQuery = afterScheme.indexOf('?') === afterScheme.length - 1 && afterScheme !== ''
  const [front, query] = cut(afterScheme, '?')
  const start = { ...nothing, scheme, query, emptyQuery }
  if (!front.startsWith('/')) {
    if (scheme !== '') return { ...start, opaque: front }
    if (ofRequest) throw new UriError('invalid URI for request')
    if (cut(front, '/')[0].includes(':')) throw new UriError('first path segment in URL cannot contain colon')
  }
  const hasHost = front.startsWith('//') && (scheme !== '' || (!ofRequest && !front.startsWith('///')))
  const slash = hasHost ? front.indexOf('/', 2) : 0
  const pathAt = slash < 0 ? front.length : slash
  const authority = hasHost ? readAuthority(scheme, front.slice(2, pathAt)) : { user: undefined, host: '' }
  return { ...start, ...authority, omitHost: !hasHost && scheme !== '' && front.startsWith('/'), ...readPath(front.slice(pathAt)) }
}

/** What stands before and behind a mark; all of it before where there is no mark. */
function cut(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

function schemeOf(text: string): [string, string] {
  if (text.startsWith(':')) throw new UriError('missing protocol scheme')
  const scheme = /^[a-zA-Z][a-zA-Z0-9+.-]*(?=:)/.exec(text)?.[0]
  return scheme === undefined ? ['', text] : [scheme.toLowerCase(), text.slice(scheme.length + 1)]
}

function readPath(raw: string): { readonly path: string; readonly rawPath: string } {
  const path = unescape(raw, 'path')
  return { path, rawPath: escape(path, 'path') === raw ? '' : raw }
}

function readAuthority(scheme: string, authority: string): { readonly user: string | undefined; readonly host: string } {
  const at = authority.lastIndexOf('@')
  const host = readHost(scheme, authority.slice(at + 1))
  if (at < 0) return { user: undefined, host }
  const info = authority.slice(0, at)
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(info)) throw new UriError('net/url: invalid userinfo')
  const [name, password] = cut(info, ':')
  const parts = info.includes(':') ? [name, password] : [name]
  return { user: parts.map((part) => escape(unescape(part, 'user'), 'user')).join(':'), host }
}

function readHost(scheme: string, host: string): string {
  const open = host.lastIndexOf('[')
  if (open > 0) throw new UriError('invalid IP-literal')
  if (open === 0) return readLiteral(host)
  const [first, last] = [host.indexOf(':'), host.lastIndexOf(':')]
  if (first >= 0) checkPort(host.slice(scheme === 'http' || scheme === 'https' ? first : last))
  return unescape(host, 'host')
}

/** `[fe80::1%25en0]:80` */
function readLiteral(host: string): string {
  const close = host.lastIndexOf(']')
  if (close < 0) throw new UriError("missing ']' in host")
  checkPort(host.slice(close + 1))
  const port = unescape(host.slice(close + 1), 'host')
  const inside = host.slice(1, close)
  const zone = inside.indexOf('%25')
  const name = zone < 0 ? unescape(inside, 'host') : unescape(inside.slice(0, zone), 'host') + unescape(inside.slice(zone), 'zone')
  const address = parseAddress(textOf(name))
  if ('error' in address) throw new UriError(`invalid host: ${address.error}`)
  if (address.ip.family === 4) throw new UriError('invalid IP-literal')
  return `[${name}]${port}`
}

const isPort = (text: string): boolean => /^(:\d*)?$/.test(text)

function checkPort(text: string): void {
  if (!isPort(text)) throw new UriError(`invalid port ${quote(textOf(text))} after host`)
}

type Part = 'path' | 'host' | 'zone' | 'user' | 'query' | 'fragment'

/** What may stand in each part as it is; all else is written `%41`. */
const plain: Readonly<Record<Part, RegExp>> = {
  path: /[-A-Za-z0-9_.~$&+,/:;=@]/,
  host: /[-A-Za-z0-9_.~!"$&'()*+,:;<=>[\]]/,
  zone: /[-A-Za-z0-9_.~!"$&'()*+,:;<=>[\]]/,
  user: /[-A-Za-z0-9_.~$&+,;=]/,
  query: /[-A-Za-z0-9_.~]/,
  fragment: /[-A-Za-z0-9_.~!$&()*+,/:;=?@]/,
}

function escape(bytes: string, part: Part): string {
  let out = ''
  for (const c of bytes) {
    if (plain[part].test(c)) out += c
    else out += c === ' ' && part === 'query' ? '+' : `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
  }
  return out
}

function unescape(bytes: string, part: Part): string {
  let out = ''
  for (let i = 0; i < bytes.length; i++) {
    const c = bytes[i] as string
    if (c === '%') {
      out += escaped(bytes.slice(i, i + 3), part)
      i += 2
    } else if (c === '+') {
      out += part === 'query' ? ' ' : '+'
    } else if ((part === 'host' || part === 'zone') && c < '\x80' && !plain[part].test(c)) {
      throw new UriError(`invalid character ${quote(c)} in host name`)
    } else {
      out += c
    }
  }
  return out
}

/** In hosts only what is not ASCII may be escaped, and the percent sign that begins a zone. */
function escaped(sequence: string, part: Part): string {
  const wrong = (): UriError => new UriError(`invalid URL escape ${quoteCut(sequence)}`)
  if (!/^%[0-9a-fA-F]{2}$/.test(sequence)) throw wrong()
  const c = String.fromCharCode(Number.parseInt(sequence.slice(1), 16))
  if (part === 'host' && c < '\x80' && sequence !== '%25') throw wrong()
  if (part === 'zone' && sequence !== '%25' && c !== ' ' && !plain.host.test(c)) throw wrong()
  return c
}

const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Three bytes may end within a character, which Go then writes as bytes. */
function quoteCut(bytes: string): string {
  try {
    return quote(strictDecoder.decode(Uint8Array.from(bytes, (c) => c.charCodeAt(0))))
  } catch {
    return `"${Array.from(bytes, (c) => (c < '\x80' ? quote(c).slice(1, -1) : `\\x${c.charCodeAt(0).toString(16)}`)).join('')}"`
  }
}

/** The path as it was written, if that is fit to be written; else as Go writes it. */
export function escapedPath(uri: Uri): string {
  if (uri.rawPath !== '' && fit(uri.rawPath, 'path')) return uri.rawPath
  return uri.path === '*' ? '*' : escape(uri.path, 'path')
}

function fit(raw: string, part: Part): boolean {
  for (const c of raw) if (!/[!$&'()*+,;=:@[\]%]/.test(c) && !plain[part].test(c)) return false
  return true
}

function escapedFragment(uri: Uri): string {
  return uri.rawFragment !== '' && fit(uri.rawFragment, 'fragment') ? uri.rawFragment : escape(uri.fragment, 'fragment')
}

/** Without the brackets of IPv6 addresses. */
export function hostAndPort(uri: Uri): readonly [string, string] {
  const colon = uri.host.lastIndexOf(':')
  const hasPort = colon >= 0 && isPort(uri.host.slice(colon))
  const host = hasPort ? uri.host.slice(0, colon) : uri.host
  return [host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host, hasPort ? uri.host.slice(colon + 1) : '']
}

const queryPartsMax = 10_000

/** Name -> values, in the order they came in; what cannot be read is left out. */
export function queryOf(uri: Uri): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>()
  const parts = uri.query.split('&')
  if (parts.length > queryPartsMax) return found
  for (const part of parts) {
    if (part === '' || part.includes(';')) continue
    try {
      const [name = '', value = ''] = cut(part, '=').map((side) => textOf(unescape(side, 'query')))
      found.set(name, [...(found.get(name) ?? []), value])
    } catch (error) {
      if (!(error instanceof UriError)) throw error
    }
  }
  return found
}

export function writeUri(uri: Uri): string {
  const query = uri.emptyQuery || uri.query !== '' ? `?${uri.query}` : ''
  const fragment = uri.fragment === '' ? '' : `#${escapedFragment(uri)}`
  const scheme = uri.scheme === '' ? '' : `${uri.scheme}:`
  if (uri.opaque !== '') return `${scheme}${uri.opaque}${query}${fragment}`
  const path = escapedPath(uri)
  const authority = writeAuthority(uri)
  const slash = path !== '' && !path.startsWith('/') && uri.host !== '' ? '/' : ''
  const dot = scheme === '' && authority === '' && slash === '' && cut(path, '/')[0].includes(':') ? './' : ''
  return `${scheme}${authority}${slash}${dot}${path}${query}${fragment}`
}

function writeAuthority(uri: Uri): string {
  if (uri.scheme === '' && uri.host === '' && uri.user === undefined) return ''
  if (uri.omitHost && uri.host === '' && uri.user === undefined) return ''
  const slashes = uri.host !== '' || uri.path !== '' || uri.user !== undefined ? '//' : ''
  return `${slashes}${uri.user === undefined ? '' : `${uri.user}@`}${escape(uri.host, 'host')}`
}
