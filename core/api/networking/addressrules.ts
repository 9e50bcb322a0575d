/** Rules of IPAddresses and ServiceCIDRs: who holds which address of a Service range (k8s.io/kubernetes/pkg/apis/networking/validation/validation.go). */
import { canonicalCidr, canonicalIp, immutable, looseCidr, say, type Errors } from '../checks.ts'
import { invalidValue, path, required } from '../field.ts'
import type { Strategy } from '../kind.ts'
import { immutableSentence } from '../metavalidation.ts'
import { dns1123Subdomain, pathSegment } from '../names.ts'
import type { IPAddress, ServiceCIDR } from '../schema/types.ts'

/** The name of an IPAddress is the address itself. */
export function addressName(name: string): readonly string[] {
  const errors: Errors = []
  canonicalIp(errors, name, path('name'))
  return errors.map((error) => error.detail)
}

const parentAt = path('spec', 'parentRef')

function parent(address: Readonly<IPAddress>): Errors {
  const of = address.spec?.parentRef
  if (of === undefined) return [required(parentAt)]
  const errors: Errors = []
  if ((of.group ?? '') !== '') say(errors, parentAt.child('group'), of.group, dns1123Subdomain(of.group ?? ''))
  for (const field of ['resource', 'name', 'namespace'] as const) {
    const text = of[field] ?? ''
    if (text !== '') say(errors, parentAt.child(field), text, pathSegment(text, false))
    else if (field !== 'namespace') errors.push(required(parentAt.child(field)))
  }
  return errors
}

export const ipAddressStrategy: Strategy<IPAddress> = {
  validateCreate: parent,
  validateUpdate(next, prev) {
    const errors = parent(next)
    immutable(errors, next.spec?.parentRef, prev.spec?.parentRef, parentAt)
    return errors
  },
}

const rangesAt = path('spec', 'cidrs')

function ranges(errors: Errors, cidrs: readonly string[]): void {
  if (cidrs.length === 0) {
    errors.push(required(rangesAt, 'at least one CIDR required'))
  } else if (cidrs.length > 2) {
    errors.push(invalidValue(rangesAt, { CIDRs: cidrs }, 'may only hold up to 2 values'))
  } else {
    cidrs.forEach((cidr, i) => canonicalCidr(errors, cidr, rangesAt.index(i)))
    const [one, other] = cidrs.map((cidr) => looseCidr(cidr)?.family)
    if (cidrs.length === 2 && one !== undefined && one === other) {
      errors.push(invalidValue(rangesAt, cidrs, 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64'))
    }
  }
}

export const serviceCidrStrategy: Strategy<ServiceCIDR> = {
  validateCreate(of) {
    const errors: Errors = []
    ranges(errors, of.spec?.cidrs ?? [])
    return errors
  },
  validateUpdate(next, prev) {
    const errors: Errors = []
    const [cidrs, old] = [next.spec?.cidrs ?? [], prev.spec?.cidrs ?? []]
    const grows = old.length === 1 && cidrs.length === 2
    if (old.length === cidrs.length || grows) {
      old.forEach((cidr, i) => {
        if (cidr !== cidrs[i]) errors.push(invalidValue(rangesAt.index(i), cidrs[i], immutableSentence))
      })
      if (grows) ranges(errors, cidrs)
    } else {
      errors.push(invalidValue(rangesAt, next.spec?.cidrs ?? null, immutableSentence))
    }
    return errors
  },
}
