/** Names of certificate signers: `example.com/some.path` (k8s.io/kubernetes/pkg/apis/core/validation/names.go). */
import { type Errors } from '../checks.ts'
import { invalidValue, required, tooLong, type Path } from '../field.ts'
import { dns1123Label, dns1123Subdomain } from '../names.ts'

const domainMax = 253
const nameMax = domainMax + 1 + 253 + 63 + 1

export function validateSignerName(errors: Errors, name: string, at: Path): void {
  if (name === '') {
    errors.push(required(at))
    return
  }
  const [domain = '', path = '', ...rest] = name.split('/')
  if (!name.includes('/') || rest.length > 0) {
    errors.push(invalidValue(at, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'"))
    return
  }
  if (domain.length > domainMax) errors.push(tooLong(at, domainMax))
  parts(errors, domain, dns1123Label, at)
  if (!domain.includes('.')) errors.push(invalidValue(at, domain, 'should be a domain with at least two segments separated by dots'))
  parts(errors, path, dns1123Subdomain, at)
  if (name.length > nameMax) errors.push(tooLong(at, nameMax))
}

/** What is wrong with the first bad label. */
function parts(errors: Errors, text: string, rule: (text: string) => readonly string[], at: Path): void {
  const bad = text.split('.').find((part) => rule(part).length > 0)
  if (bad === undefined) return
  for (const sentence of rule(bad)) errors.push(invalidValue(at, text, `validating label ${JSON.stringify(bad)}: ${sentence}`))
}
