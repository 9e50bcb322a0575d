/** Whether a certificate is that of the server we meant: only its subjectAltNames count, as in Go; a common name is nobody's name. */
import { isIP } from 'node:net'
import type { PeerCertificate } from 'node:tls'

/** What is wrong, in the words of Go's x509; undefined: nothing. */
export function nameError(want: string, shown: Pick<PeerCertificate, 'subject' | 'subjectaltname'>): Error | undefined {
  const sans = (shown.subjectaltname ?? '').split(', ')
  const of = (type: string): string[] => sans.filter((san) => san.startsWith(type)).map((san) => san.slice(type.length).replaceAll('"', ''))
  const [names, addresses] = [of('DNS:'), of('IP Address:')]
  const is = isIP(want) === 0 ? names.some((name) => matches(name, want)) : addresses.some((address) => canonical(address) === canonical(want))
  return is ? undefined : new Error(`tls: failed to verify certificate: x509: ${why(want, names, addresses, shown)}`)
}

/** `*.example.org` stands for one label. */
function matches(pattern: string, host: string): boolean {
  const [want, have] = [host.toLowerCase().replace(/\.$/, '').split('.'), pattern.toLowerCase().split('.')]
  return want.length === have.length && have.every((label, i) => label === want[i] || (i === 0 && label === '*' && have.length > 1 && want[i] !== ''))
}

function canonical(address: string): string {
  const version = isIP(address)
  return version === 6 ? new URL(`http://[${address}]`).hostname : address
}

function why(want: string, names: readonly string[], addresses: readonly string[], shown: Pick<PeerCertificate, 'subject' | 'subjectaltname'>): string {
  const common: unknown = shown.subject?.CN
  if (shown.subjectaltname === undefined && typeof common === 'string' && matches(common, want)) return 'certificate relies on legacy Common Name field, use SANs instead'
  const valid = isIP(want) === 0 ? names : addresses
  if (isIP(want) !== 0 && addresses.length === 0) return `cannot validate certificate for ${want} because it doesn't contain any IP SANs`
  if (valid.length === 0) return `certificate is not valid for any names, but wanted to match ${want}`
  return `certificate is valid for ${valid.join(', ')}, not ${want}`
}
