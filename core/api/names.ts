/**
 * Formats of names, label keys and label values: each check answers with upstream's sentences
 * for what is wrong, none when all is well (k8s.io/apimachinery/pkg/api/validate/content and
 * pkg/util/validation).
 */

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const subdomain = `${label}(\\.${label})*`
const qualified = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'
const value = `(${qualified})?`

const whole = (pattern: string): RegExp => new RegExp(`^(?:${pattern})$`)
const labelPattern = whole(label)
const subdomainPattern = whole(subdomain)
const qualifiedPattern = whole(qualified)
const valuePattern = whole(value)

export function maxLength(bytes: number): string {
  return `must be no more than ${bytes} bytes`
}

/** As the older formats say it. */
function maxCharacters(count: number): string {
  return `must be no more than ${count} characters`
}

const mustNotBeEmpty = 'must be non-empty'

/** The sentence for a value that a regular expression refuses. */
export function patternSentence(sentence: string, pattern: string, ...examples: readonly string[]): string {
  if (examples.length === 0) return `${sentence} (regex used for validation is '${pattern}')`
  return `${sentence} (e.g. ${examples.map((example) => `'${example}', `).join(' or ')}regex used for validation is '${pattern}')`
}

const labelSentence = patternSentence(
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
  label, 'my-name', '123-abc',
)
const subdomainSentence = patternSentence(
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  subdomain, 'example.com',
)
const qualifiedSentence = patternSentence(
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  qualified, 'MyName', 'my.name', '123-abc',
)
const valueSentence = patternSentence(
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  value, 'MyValue', 'my_value', '12345',
)

const none: readonly string[] = []

function check(text: string, max: number, pattern: RegExp, sentence: string, limit = maxCharacters): readonly string[] {
  if (text.length <= max && pattern.test(text)) return none
  return [...(text.length > max ? [limit(max)] : []), ...(pattern.test(text) ? [] : [sentence])]
}

/** `my-name`: at most 63 characters. */
export const dns1123Label = (text: string): readonly string[] =>
  text.length <= 63 && labelPattern.test(text) ? none : check(text, 63, labelPattern, subdomainPattern.test(text) ? 'must not contain dots' : labelSentence)
const olderLabel = '[a-z]([-a-z0-9]*[a-z0-9])?'
const olderLabelPattern = whole(olderLabel)
const olderLabelSentence = patternSentence(
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
  olderLabel, 'my-name', 'abc-123',
)
/** `my-name`, never beginning with a digit: at most 63 characters. */
export const dns1035Label = (text: string): readonly string[] => check(text, 63, olderLabelPattern, olderLabelSentence)
/** `example.com`: at most 253 characters. */
export const dns1123Subdomain = (text: string): readonly string[] => check(text, 253, subdomainPattern, subdomainSentence)
export const labelValue = (text: string): readonly string[] => check(text, 63, valuePattern, valueSentence, maxLength)

/** A label or annotation key, a finalizer, a condition type: `name` or `example.com/name`. */
export function qualifiedName(text: string): readonly string[] {
  const parts = text.split('/')
  if (parts.length > 2) return [`a valid label key ${qualifiedSentence} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`]
  const name = parts.at(-1) ?? ''
  if (parts.length === 1 && name.length <= 63 && qualifiedPattern.test(name)) return none
  const errors: string[] = []
  if (parts.length === 2) {
    const prefix = parts[0] ?? ''
    if (prefix === '') errors.push(`prefix part ${mustNotBeEmpty}`)
    else errors.push(...dns1123Subdomain(prefix).map((sentence) => `prefix part ${sentence}`))
  }
  if (name === '') errors.push(`name part ${mustNotBeEmpty}`)
  else if (name.length > 63) errors.push(`name part ${maxLength(63)}`)
  if (!qualifiedPattern.test(name)) errors.push(`name part ${qualifiedSentence}`)
  return errors
}

/** What may be one part of a URL path: RBAC names. */
export function pathSegment(text: string, prefix: boolean): readonly string[] {
  if (!prefix && (text === '.' || text === '..')) return [`may not be '${text}'`]
  return ['/', '%'].filter((part) => text.includes(part)).map((part) => `may not contain '${part}'`)
}

/** A rule for whole names that also takes the first part of a generated one (generateName): `name-` is as good as `name-a`. */
export function nameRule(rule: (text: string) => readonly string[]): (name: string, prefix: boolean) => readonly string[] {
  return (name, prefix) => rule(prefix && name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name)
}

const underscored = '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?'
const underscoredPattern = whole(`${underscored}(\\.${underscored})*`)
const underscoredSentence = patternSentence(
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character",
  `${underscored}(\\.${underscored})*`, 'example.com',
)
/** A DNS search path: names there may have underscores. */
export const dnsSearchName = (text: string): readonly string[] => check(text, 253, underscoredPattern, underscoredSentence)

const wildcard = `\\*\\.${subdomain}`
const wildcardPattern = whole(wildcard)
const wildcardSentence = patternSentence(
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
  wildcard, '*.example.com',
)
export const wildcardName = (text: string): readonly string[] => check(text, 253, wildcardPattern, wildcardSentence)

export const range = (low: number, high: number): string => `must be between ${low} and ${high}, inclusive`

export const portNumber = (port: number): readonly string[] => (port >= 1 && port <= 65_535 ? none : [range(1, 65_535)])

/** A user's or group's number. */
export const userNumber = (id: number): readonly string[] => (id >= 0 && id <= 2_147_483_647 ? none : [range(0, 2_147_483_647)])

/** An IANA service name: `http`. */
export function portName(text: string): readonly string[] {
  const errors: string[] = []
  if (text.length > 15) errors.push(maxCharacters(15))
  if (!/^[-a-z0-9]+$/.test(text)) errors.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)')
  if (!/[a-z]/.test(text)) errors.push('must contain at least one letter (a-z)')
  if (text.includes('--')) errors.push('must not contain consecutive hyphens')
  if (text.startsWith('-') || text.endsWith('-')) errors.push('must not begin or end with a hyphen')
  return errors
}

const percentSentence = patternSentence("a valid percent string must be a numeric string followed by an ending '%'", '[0-9]+%', '1%', '93%')
export const percent = (text: string): readonly string[] => (/^[0-9]+%$/.test(text) ? none : [percentSentence])

const headerSentence = patternSentence("a valid HTTP header must consist of alphanumeric characters or '-'", '[-A-Za-z0-9]+', 'X-Header-Name')
export const httpHeaderName = (text: string): readonly string[] => (/^[-A-Za-z0-9]+$/.test(text) ? none : [headerSentence])

/** Environment variables may have any printable ASCII in their names but `=`. */
export function envName(text: string): readonly string[] {
  if (text === '') return [`environment variable name ${mustNotBeEmpty}`]
  return /^[\x20-\x3c\x3e-\x7e]*$/.test(text) ? none : ["a valid environment variable name must consist only of printable ASCII characters other than '='"]
}

const configKeySentence = patternSentence(
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.'", '[-._a-zA-Z0-9]+', 'key.name', 'KEY_NAME', 'key-name',
)
/** A key of a ConfigMap or Secret: it must do as a file name. */
export function configKey(text: string): readonly string[] {
  const errors = [...check(text, 253, /^[-._a-zA-Z0-9]+$/, configKeySentence)]
  if (text === '.' || text === '..') errors.push(`must not be '${text}'`)
  else if (text.startsWith('..')) errors.push("must not start with '..'")
  return errors
}
