/** Whether a text is an e-mail address or a URI as Go reads them (net/mail.ParseAddress, net/url.ParseRequestURI). */

/** `user@host`, `"a b"@host`, `Name <user@host>`, with comments in parentheses after them. */
export function isEmailAddress(text: string): boolean {
  const bare = withoutComment(text)
  if (bare === undefined) return false
  const trimmed = bare.trim()
  if (isAddrSpec(trimmed)) return true
  const match = /^(.*?)[ \t]*<([^<>]*)>$/su.exec(trimmed)
  return match !== null && isPhrase((match[1] ?? '').trim()) && isAddrSpec((match[2] ?? '').trim())
}

const atom = String.raw`[A-Za-z0-9!#$%&'*+\-/=?^_\x60{|}~\u{80}-\u{10ffff}]+`
const dotAtom = `${atom}(?:\\.${atom})*`
const quoted = String.raw`"(?:[^"\\\p{Cc}]|\\[\x20-\x7e\t])*"`
const literal = String.raw`\[[^\[\]\\\s]*\]`
const addrSpec = new RegExp(`^(${dotAtom}|${quoted})[ \\t]*@[ \\t]*(${dotAtom}|${literal})$`, 'u')
const phrase = new RegExp(`^(?:(?:${atom}|${quoted}|\\.)(?:[ \\t]*(?:${atom}|${quoted}|\\.))*)?$`, 'u')

function isAddrSpec(text: string): boolean {
  const match = addrSpec.exec(text)
  if (match === null || match[1] === '""') return false
  const domain = match[2] ?? ''
  return !domain.startsWith('[') || isLiteral(domain.slice(1, -1))
}

/** [1.2.3.4] and [IPv6:::1] */
function isLiteral(inner: string): boolean {
  if (/^\d{1,3}(?:\.\d{1,3}){3}$/.test(inner)) return inner.split('.').every((octet) => Number(octet) <= 255)
  return /^(?:IPv6:)?[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$/.test(inner)
}

function isPhrase(text: string): boolean {
  return phrase.test(text)
}

/** A comment in parentheses may come last; undefined: it does not begin. */
function withoutComment(text: string): string | undefined {
  const trimmed = text.trim()
  if (!trimmed.endsWith(')') || trimmed.endsWith('\\)')) return text
  let depth = 0
  for (let i = trimmed.length - 1; i >= 0; i--) {
    const escaped = trimmed[i - 1] === '\\'
    if (trimmed[i] === ')' && !escaped) depth++
    if (trimmed[i] === '(' && !escaped && --depth === 0) return withoutComment(trimmed.slice(0, i))
  }
  return undefined
}

const controls = /[^\P{Cc}\x80-\x9f]/u

/** An absolute URI or an absolute path, as one stands in a request. */
export function isRequestUri(text: string): boolean {
  if (text === '' || controls.test(text)) return false
  if (text === '*') return true
  const scheme = /^([a-zA-Z][a-zA-Z0-9+\-.]*):/.exec(text)
  if (scheme === null && !text.startsWith('/')) return false
  const rest = (scheme === null ? text : text.slice(scheme[0].length)).split('?', 1)[0] ?? ''
  // what has a scheme and no slash is opaque, and nothing of it is looked at
  if (!rest.startsWith('/')) return scheme !== null
  if (scheme === null || !rest.startsWith('//')) return isEscaped(rest)
  const slash = rest.indexOf('/', 2)
  const authority = slash < 0 ? rest.slice(2) : rest.slice(2, slash)
  return isAuthority(authority) && isEscaped(slash < 0 ? '' : rest.slice(slash))
}

function isEscaped(text: string): boolean {
  return !/%(?![0-9a-fA-F]{2})/.test(text)
}

function isAuthority(text: string): boolean {
  const at = text.lastIndexOf('@')
  if (at >= 0 && !/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(text.slice(0, at))) return false
  return isEscaped(text.slice(0, Math.max(at, 0))) && isHost(text.slice(at + 1))
}

function isHost(host: string): boolean {
  if (host.startsWith('[')) return /^\[[^\]]*\](?::\d*)?$/.test(host)
  const colon = host.indexOf(':')
  if (colon >= 0 && !/^:\d*$/.test(host.slice(host.lastIndexOf(':')))) return false
  // no space and none of \\^`{|}, and of escapes only those of characters beyond ASCII
  return !/[\s\\^`{|}]/.test(host) && !/%(?![89a-fA-F][0-9a-fA-F])/.test(host)
}
