/** Whether a text is an e-mail address or a URI as Go reads them (net/mail.ParseAddress, net/url.ParseRequestURI). */

/** `user@host`, `"a b"@host`, `Name <user@host>`, with comments in parentheses after them. */
export function isEmailAddress(text: string): boolean {
  const bare = withoutComments(text)
  if (bare === undefined) return false
  if (isAddrSpec(bare)) return true
  const open = bare.lastIndexOf('<')
  if (open < 0 || bare.indexOf('>', open) !== bare.length - 1) return false
  return isPhrase(bare.slice(0, open).trim()) && isAddrSpec(bare.slice(open + 1, -1).trim())
}

const atomCharacters = String.raw`A-Za-z0-9!#$%&'*+\-/=?^_\x60{|}~\u{80}-\u{10ffff}`
const atom = `[${atomCharacters}]+`
const dotAtom = `${atom}(?:\\.${atom})*`
const quoted = String.raw`"(?:[^"\\\p{Cc}]|\\[\x20-\x7e\t])*"`
const literal = String.raw`\[[^\[\]\\\s]*\]`
const addrSpec = new RegExp(`^(${dotAtom}|${quoted})[ \\t]*@[ \\t]*(${dotAtom}|${literal})$`, 'u')
/** Read one after the other: one pattern of all of them could be divided in too many ways. */
const phraseParts = [new RegExp(`[${atomCharacters}. \\t]+`, 'uy'), new RegExp(quoted, 'uy')]

function isAddrSpec(text: string): boolean {
  const match = addrSpec.exec(text)
  if (match === null || match[1] === '""') return false
  const domain = match[2] ?? ''
  return !domain.startsWith('[') || isLiteral(domain.slice(1, -1))
}

/** [1.2.3.4] and [IPv6:::1] */
function isLiteral(inner: string): boolean {
  if (/^\d{1,3}(?:\.\d{1,3}){3}$/.test(inner)) return inner.split('.').every((octet) => Number(octet) <= 255)
  const address = inner.startsWith('IPv6:') ? inner.slice(5) : inner
  return address.includes(':') && /^[0-9a-fA-F:.]*$/.test(address)
}

/** Words, dots and quoted texts. */
function isPhrase(text: string): boolean {
  for (let at = 0; at < text.length; ) {
    const part = phraseParts.find((pattern) => {
      pattern.lastIndex = at
      return pattern.test(text)
    })
    if (part === undefined) return false
    at = part.lastIndex
  }
  return true
}

/** Trimmed. Comments in parentheses may come last; undefined: one does not begin. */
function withoutComments(text: string): string | undefined {
  let left = text.trim()
  while (left.endsWith(')') && !left.endsWith('\\)')) {
    const start = commentStart(left)
    if (start === undefined) return undefined
    left = left.slice(0, start).trim()
  }
  return left
}

function commentStart(text: string): number | undefined {
  let depth = 0
  for (let i = text.length - 1; i >= 0; i--) {
    const escaped = text[i - 1] === '\\'
    if (text[i] === ')' && !escaped) depth++
    if (text[i] === '(' && !escaped && --depth === 0) return i
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
