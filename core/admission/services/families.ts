/**
 * Address families of a Service: what its policy, its families and its addresses say of each other, and what the cluster
 * has (k8s.io/kubernetes/pkg/registry/core/service/storage/alloc.go, initIPFamilyFields). Changes the spec. Pure.
 */
import { invalidValue, path, type FieldError } from '../../api/field.ts'
import type { Service } from '../../api/schema/types.ts'
import { equalJson } from '../../lib/json.ts'
import { familyOf } from '../../api/networking/serviceranges.ts'

export type Family = 'IPv4' | 'IPv6'
export type Spec = NonNullable<Service['spec']>

const at = path('spec')

/** `before` is what stood there, of a Service that had addresses; `has`: the cluster's families, the default first. */
export function chooseFamilies(spec: Spec, before: Readonly<Spec> | undefined, has: readonly Family[]): readonly FieldError[] {
  const endless = spec.clusterIPs?.[0] === 'None' && Object.keys(spec.selector ?? {}).length === 0
  spec.ipFamilyPolicy ??= before?.ipFamilyPolicy ?? (endless ? 'RequireDualStack' : 'SingleStack')
  const errors = [...(before === undefined ? [] : narrowed(spec, before)), ...tooMany(spec), ...inferred(spec, has)]
  if (errors.length > 0) return errors
  // Headless without a selector: somebody else makes its endpoints, of whatever family.
  if (endless) return complete(spec, has, 2)
  if (spec.ipFamilyPolicy === 'RequireDualStack' && has.length < 2) errors.push(invalidValue(at.child('ipFamilyPolicy'), spec.ipFamilyPolicy, 'this cluster is not configured for dual-stack services'))
  spec.ipFamilies?.forEach((family, i) => {
    if ((family === 'IPv4' || family === 'IPv6') && !has.includes(family)) errors.push(invalidValue(at.child('ipFamilies').index(i), family, 'not configured on this cluster'))
  })
  return errors.length > 0 ? errors : complete(spec, has, has.length)
}

/** Asking for one family where two were, and leaving the lists as they are, lets the second go. */
function narrowed(spec: Spec, before: Readonly<Spec>): FieldError[] {
  const [ips, oldIps] = [spec.clusterIPs ?? [], before.clusterIPs ?? []]
  const [families, oldFamilies] = [spec.ipFamilies ?? [], before.ipFamilies ?? []]
  if (spec.ipFamilyPolicy === 'SingleStack') {
    if (equalJson(ips, oldIps) && ips.length > 1) spec.clusterIPs = ips.slice(0, 1)
    if (equalJson(families, oldFamilies) && families.length > 1) spec.ipFamilies = families.slice(0, 1)
    return []
  }
  const here = at.child('ipFamilyPolicy')
  const reduced = (now: readonly string[], old: readonly string[]): boolean => now.length > 0 && now.length < old.length && now[0] === old[0]
  return [
    ...(reduced(ips, oldIps) ? [invalidValue(here, spec.ipFamilyPolicy ?? null, "must be 'SingleStack' to release the secondary cluster IP")] : []),
    ...(reduced(families, oldFamilies) ? [invalidValue(here, spec.ipFamilyPolicy ?? null, "must be 'SingleStack' to release the secondary IP family")] : []),
  ]
}

function tooMany(spec: Readonly<Spec>): FieldError[] {
  if (spec.ipFamilyPolicy !== 'SingleStack') return []
  const wrong = (what: string): FieldError => invalidValue(at.child('ipFamilyPolicy'), spec.ipFamilyPolicy ?? null, `must be 'RequireDualStack' or 'PreferDualStack' when multiple ${what} are specified`)
  return [...(spec.clusterIPs?.length === 2 ? [wrong('cluster IPs')] : []), ...(spec.ipFamilies?.length === 2 ? [wrong('IP families')] : [])]
}

/** Addresses that were asked for say their families. */
function inferred(spec: Spec, has: readonly Family[]): FieldError[] {
  const errors: FieldError[] = []
  const families = [...(spec.ipFamilies ?? [])]
  for (const [i, ip] of (spec.clusterIPs ?? []).entries()) {
    if (ip === 'None') break
    if (i < families.length) continue
    const family = familyOf(ip)
    if (has.includes(family)) families.push(family)
    else errors.push(invalidValue(at.child('clusterIPs').index(i), spec.clusterIPs ?? null, `${family} is not configured on this cluster`))
  }
  if (families.length > 0) spec.ipFamilies = families
  return errors
}

/** The default family where none is named, and the other one where two are wanted and `most` are to be had. */
function complete(spec: Spec, has: readonly Family[], most: number): readonly FieldError[] {
  const families = spec.ipFamilies?.length ? [...spec.ipFamilies] : [has[0] ?? 'IPv4']
  if (spec.ipFamilyPolicy !== 'SingleStack' && families.length === 1 && most === 2) families.push(families[0] === 'IPv4' ? 'IPv6' : 'IPv4')
  spec.ipFamilies = families
  return []
}
