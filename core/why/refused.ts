/** Why the API takes no pods of a workload: which quota, limit, policy or webhook said no. Pure, over the refusal's own words. */
import { oneLine } from './crash.ts'

interface Refuser {
  readonly pattern: RegExp
  readonly says: (match: RegExpExecArray) => string
}

const refusers: readonly Refuser[] = [
  { pattern: /exceeded quota: ([^,]+), requested: (.+?), used: (.+?), limited: ([^\n]+)/, says: ([, quota, asked, used, limit]) => `the ResourceQuota ${quota} has no room: one pod asks for ${asked}, ${used} is used, the limit is ${limit}` },
  { pattern: /failed quota: ([^:]+): must specify ([^\n]+)/, says: ([, quota, what]) => `the ResourceQuota ${quota} demands that every pod says ${what}` },
  { pattern: /status unknown for quota: ([^,\n]+)/, says: ([, quota]) => `the ResourceQuota ${quota} has not been counted yet` },
  { pattern: /violates PodSecurity "([^"]+)": ([^\n]+)/, says: ([, level, what]) => `the namespace's PodSecurity level ${level} forbids the pod: ${what}` },
  { pattern: /((?:minimum|maximum) [\w-]+ (?:usage )?per (?:Container|Pod) is [^\n]+|[\w-]+ max limit to request ratio per [^\n]+)/, says: ([, what]) => `a LimitRange of the namespace forbids the pod: ${what?.replace(/\]$/, '')}` },
  { pattern: /admission webhook "([^"]+)" denied the request(?: without explanation)?(?:: ([^\n]+))?/, says: ([, name, what]) => `the admission webhook ${name} forbids the pod${what === undefined ? '' : `: ${what}`}` },
  { pattern: /failed calling webhook "([^"]+)": ([^\n]+)/, says: ([, name, what]) => `the admission webhook ${name} does not answer: ${what}` },
  { pattern: /ValidatingAdmissionPolicy '([^']+)' with binding '([^']+)' denied request: ([^\n]+)/, says: ([, name, binding, what]) => `the ValidatingAdmissionPolicy ${name} (binding ${binding}) forbids the pod: ${what}` },
  { pattern: /error looking up service account ([^:\s]+): [^\n]*not found/, says: ([, account]) => `the ServiceAccount ${account} does not exist` },
  { pattern: /no PriorityClass with name (\S+) was found/, says: ([, name]) => `the PriorityClass ${name} does not exist` },
  { pattern: /(?:RuntimeClass(?:\.node\.k8s\.io)?|runtimeclass) "?([^"\s]+)"? not found/i, says: ([, name]) => `the RuntimeClass ${name} does not exist` },
  { pattern: /unable to create new content in namespace (\S+) because it is being terminated/, says: ([, name]) => `the namespace ${name} is being deleted` },
]

/** As a clause about what cannot be made. */
export function refusalText(message: string): string {
  for (const { pattern, says } of refusers) {
    const match = pattern.exec(message)
    if (match !== null) return says(match)
  }
  return oneLine(message.replace(/^Error creating: /, '').replace(/^pods "[^"]*" is (?:forbidden|invalid): /, ''))
}
