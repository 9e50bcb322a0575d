/**
 * ServiceCIDRs: ranges that Services get addresses from. One is ready once it cannot go without notice, and goes only when
 * no Service is left with an address that no other range holds (upstream's servicecidrs_controller.go).
 */
import { iPAddresses } from '../../api/networking/ipaddress.ts'
import { serviceCIDRs } from '../../api/networking/servicecidr.ts'
import { cidrsOf, covers, isManaged, overlap, rangesOf } from '../../api/networking/serviceranges.ts'
import { isBeingDeleted, keyOf } from '../../api/meta.ts'
import type { IPAddress, ServiceCIDR } from '../../api/schema/types.ts'
import { formatTime, parseTime } from '../../api/time.ts'
import type { Client } from '../../client/client.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { cloneJson } from '../../lib/json.ts'
import { conditionOf } from '../conditions.ts'
import type { Controller } from '../controller.ts'

const finalizer = 'networking.k8s.io/service-cidr-finalizer'
const fieldManager = 'service-cidr-controller'
/** Until everybody knows that no more addresses are given from it. */
const deletionGraceMs = 10_000

const ready = { status: 'True', reason: '', message: 'Kubernetes Service CIDR is ready' } as const
const terminating = {
  status: 'False',
  reason: 'Terminating',
  message: 'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR',
} as const

export const serviceCidrController: Controller = {
  name: 'service-cidrs-controller',
  component: fieldManager,
  workers: 5,
  setUp(env) {
    const named = (ranges: readonly Readonly<ServiceCIDR>[]): readonly string[] => ranges.map(({ metadata }) => metadata.name ?? '')
    const informer = env.informers.of(serviceCIDRs)
    const lister = env.watch(serviceCIDRs, (range) => [...new Set([range.metadata.name ?? '', ...named(overlapping(informer.lister.list(), range))])])
    const addresses = env.watch(iPAddresses, (address) => (isManaged(address) ? named(rangesOf(lister.list(), address.metadata.name ?? '')) : []))
    return async (ctx, name, client) => {
      const range = lister.at(name)
      if (range === undefined) return
      if (!isBeingDeleted(range)) {
        if (!(range.metadata.finalizers ?? []).includes(finalizer)) await setFinalizers(ctx, client, range, [...(range.metadata.finalizers ?? []), finalizer])
        return await say(ctx, client, range, ready, env.clock.now())
      }
      if (!mayGo(range, lister.list(), addresses.list())) return await say(ctx, client, range, terminating, env.clock.now())
      const waitMs = (parseTime(range.metadata.deletionTimestamp ?? '') ?? 0) + deletionGraceMs - env.clock.now()
      if (waitMs > 0) return env.queue.after(name, waitMs)
      const others = (range.metadata.finalizers ?? []).filter((each) => each !== finalizer)
      if (others.length !== range.metadata.finalizers?.length) await setFinalizers(ctx, client, range, others)
    }
  },
}

function overlapping(all: readonly Readonly<ServiceCIDR>[], range: Readonly<ServiceCIDR>): readonly Readonly<ServiceCIDR>[] {
  const mine = cidrsOf(range)
  return all.filter((other) => cidrsOf(other).some((cidr) => mine.some((own) => overlap(cidr, own))))
}

/** Whether no address would be left without a range: another one covers all of it, or holds what is given of it. */
export function mayGo(range: Readonly<ServiceCIDR>, all: readonly Readonly<ServiceCIDR>[], addresses: readonly Readonly<IPAddress>[]): boolean {
  const others = all.filter((other) => other.metadata.name !== range.metadata.name)
  const isCovered = cidrsOf(range).every((cidr) => others.some((other) => cidrsOf(other).some((outer) => covers(outer, cidr))))
  if (isCovered) return true
  return !addresses.some((address) => {
    const name = address.metadata.name ?? ''
    return isManaged(address) && rangesOf([range], name).length > 0 && rangesOf(others, name).length === 0
  })
}

async function setFinalizers(ctx: Ctx, client: Client, range: Readonly<ServiceCIDR>, finalizers: string[]): Promise<void> {
  const next = cloneJson(range) as ServiceCIDR
  next.metadata.finalizers = finalizers
  await client.update(ctx, serviceCIDRs, next)
}

async function say(ctx: Ctx, client: Client, range: Readonly<ServiceCIDR>, want: typeof ready | typeof terminating, nowMs: number): Promise<void> {
  const have = conditionOf(range.status?.conditions, 'Ready')
  if (have?.status === want.status && have.reason === want.reason && have.message === want.message) return
  const lastTransitionTime = formatTime(nowMs)
  const applied = { apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', metadata: { name: range.metadata.name }, status: { conditions: [{ type: 'Ready', ...want, lastTransitionTime }] } }
  await client.patch(ctx, serviceCIDRs, keyOf(range), 'apply', applied, { subresource: 'status', fieldManager, force: true })
}
