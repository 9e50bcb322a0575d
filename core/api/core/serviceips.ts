/** Addresses and families of a Service: what may be asked for, and how little of it may change (k8s.io/kubernetes/pkg/apis/core/validation/validation.go). */
import { dualStack, legacyIp, looseIp, type Errors } from '../checks.ts'
import { duplicate, invalidValue, notSupported, path, required } from '../field.ts'
import type { ServiceSpec } from '../schema/types.ts'
import { isHeadless } from './serviceprepare.ts'

const at = path('spec')
const families = ['IPv4', 'IPv6']
const policies = ['PreferDualStack', 'RequireDualStack', 'SingleStack']

export function validateAddresses(errors: Errors, spec: Readonly<ServiceSpec>, prev: Readonly<ServiceSpec> | undefined): void {
  if (spec.type === 'ExternalName') return
  const here = at.child('clusterIPs')
  const ips = spec.clusterIPs ?? []
  const ip = spec.clusterIP ?? ''
  if (ip === '') {
    if (ips.length > 0) errors.push(invalidValue(here, ips, 'must be empty when `clusterIP` is not specified'))
  } else if (ips.length === 0) {
    errors.push(required(here))
  } else if (ips[0] !== ip) {
    errors.push(invalidValue(here, ips, 'first value must match `clusterIP`'))
  }
  const seen = new Set<string>()
  spec.ipFamilies?.forEach((family, i) => {
    const place = at.child('ipFamilies').index(i)
    if (!families.includes(family)) errors.push(notSupported(place, family, families))
    if (seen.has(family)) errors.push(duplicate(place, family))
    seen.add(family)
  })
  const policy = spec.ipFamilyPolicy
  if (policy !== undefined && !policies.includes(policy)) errors.push(notSupported(at.child('ipFamilyPolicy'), policy, policies))
  if (!eachAddress(errors, ips, prev?.clusterIPs ?? [])) return
  if (ips.length > 1 && !dualStack(ips.map((text) => looseIp(text)?.family))) errors.push(invalidValue(here, ips, 'may specify no more than one IP for each IP family'))
  if (isHeadless(spec)) return
  ips.forEach((text, i) => {
    const family = spec.ipFamilies?.[i]
    const is = looseIp(text)?.family === 6 ? 'IPv6' : 'IPv4'
    if (family !== undefined && families.includes(family) && family !== is) {
      errors.push(invalidValue(here.index(i), text, `expected an ${family} value as indicated by \`ipFamilies[${i}]\``))
    }
  })
}

function eachAddress(errors: Errors, ips: readonly string[], existing: readonly string[]): boolean {
  const here = at.child('clusterIPs')
  const found: Errors = []
  ips.forEach((ip, i) => {
    if (i > 0 || ip !== 'None') legacyIp(found, ip, here.index(i), existing)
    else if (ips.length > 1) found.push(invalidValue(here, ips, "'None' must be the first and only value"))
  })
  errors.push(...found)
  if (ips.length > 2) errors.push(invalidValue(here, ips, 'may only hold up to 2 values'))
  return found.length === 0
}

export function validateAddressChange(errors: Errors, next: Readonly<ServiceSpec>, prev: Readonly<ServiceSpec>): void {
  if (next.type === 'ExternalName' || prev.type === 'ExternalName') return
  const [ips, old] = [next.clusterIPs ?? [], prev.clusterIPs ?? []]
  if (!(isHeadless(next) && isHeadless(prev))) change(errors, ips, old, ips, 'clusterIPs', 'clusterIP', next)
  if (isHeadless(next) || isHeadless(prev)) return
  change(errors, next.ipFamilies ?? [], prev.ipFamilies ?? [], ips, 'ipFamilies', 'ipFamily', next)
}

/** The first never changes; a second may come, and go when the policy says that it is not wanted. */
function change(errors: Errors, now: readonly string[], old: readonly string[], ips: readonly string[], field: 'clusterIPs' | 'ipFamilies', one: string, spec: Readonly<ServiceSpec>): void {
  const here = at.child(field)
  const fixed = 'may not change once set'
  if (now.length === old.length) {
    old.forEach((value, i) => {
      if (value !== now[i]) errors.push(invalidValue(here.index(field === 'clusterIPs' ? i : 0), now, fixed))
    })
    return
  }
  const shown = field === 'clusterIPs' ? now : ips
  if (old.length > now.length && ips.length === 0) errors.push(invalidValue(here.index(0), now.length === 0 ? null : now, `primary ${one} can not be unset`))
  if (old.length > 0 && now.length > 0 && now[0] !== old[0]) errors.push(invalidValue(here.index(0), shown, fixed))
  if (old.length > now.length && now.length === 1 && spec.ipFamilyPolicy !== 'SingleStack') {
    errors.push(invalidValue(at.child('ipFamilyPolicy'), spec.ipFamilyPolicy ?? null, `must be set to 'SingleStack' when releasing the secondary ${one}`))
  }
}
