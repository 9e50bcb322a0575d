/**
 * Whether each APIService is available: local ones always are; of others the Service must be there, listen and have
 * endpoints, and the server behind it must answer. Looked at when any of these changes, and every half minute
 * (kube-aggregator/pkg/controllers/status).
 */
import { apiServices } from '../../api/apiregistration/apiservice.ts'
import { condition, localCondition, serviceOf, withCondition } from '../../api/apiregistration/conditions.ts'
import { services } from '../../api/core/service.ts'
import { endpointSlices } from '../../api/discovery/endpointslice.ts'
import type { APIService, EndpointSlice, Service } from '../../api/schema/types.ts'
import { remoteApiOf, type RemoteApi } from '../../client/aggregated.ts'
import type { Client } from '../../client/client.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { backoffMs } from '../../lib/backoff.ts'
import { cloneJson, equalJson } from '../../lib/json.ts'
import { serverIdentity, type Controller } from '../controller.ts'
import { serviceNameLabel } from '../endpointslice/plan.ts'
import { itself } from '../run.ts'

const recheckMs = 30_000
const retry = { firstMs: 5, maxMs: recheckMs }

export const apiServiceAvailability: Controller = {
  name: 'apiservice-availability',
  identity: serverIdentity,
  workers: 5,
  setUp(env) {
    const lister = env.watch(apiServices, itself)
    const behind = (namespace: string | undefined, name: string | undefined): readonly string[] =>
      lister.list().filter((object) => serviceOf(object)?.namespace === namespace && serviceOf(object)?.name === name).map((object) => object.metadata.name ?? '')
    const found = env.watch(services, ({ metadata }) => behind(metadata.namespace, metadata.name))
    const slices = env.watch(endpointSlices, ({ metadata }) => behind(metadata.namespace, metadata.labels?.[serviceNameLabel]))
    const failures = new Map<string, number>()
    const judge = async (ctx: Ctx, api: RemoteApi): Promise<Verdict & { readonly again?: number }> => {
      const { namespace, name } = api.service
      const own = slices.list(namespace).filter((slice) => slice.metadata.labels?.[serviceNameLabel] === name)
      const wrong = fault(api, found.get({ namespace, name }), own)
      if (wrong !== undefined) return wrong
      const why = await env.settings.aggregated?.check(ctx, api)
      if (why === undefined) return { ...passed, again: recheckMs }
      const times = failures.get(api.name) ?? 0
      failures.set(api.name, times + 1)
      return { reason: 'FailedDiscoveryCheck', message: why, again: backoffMs(retry, times) }
    }
    return async (ctx, name, client) => {
      const have = lister.at(name)
      const api = have === undefined ? undefined : remoteApiOf(have)
      if (have === undefined) return void failures.delete(name)
      if (api === undefined) return await tell(ctx, client, have, localCondition(env.clock.now()))
      const verdict = await judge(ctx, api)
      if (verdict.reason !== 'FailedDiscoveryCheck') failures.delete(name)
      await tell(ctx, client, have, condition(verdict === passed || verdict.reason === passed.reason ? 'True' : 'False', verdict.reason, verdict.message, env.clock.now()))
      env.queue.after(name, verdict.again ?? recheckMs)
    }
  },
}

interface Verdict {
  readonly reason: string
  readonly message: string
}

const passed: Verdict = { reason: 'Passed', message: 'all checks passed' }

/** What stands in the way before anything is sent. */
export function fault(api: RemoteApi, service: Readonly<Service> | undefined, slices: readonly Readonly<EndpointSlice>[]): Verdict | undefined {
  const { namespace, name, port } = api.service
  const which = `service/${name} in "${namespace}"`
  if (service === undefined) return { reason: 'ServiceNotFound', message: `${which} is not present` }
  if (service.spec?.type !== 'ClusterIP') return undefined
  const listens = service.spec.ports?.find((p) => p.port === port)
  if (listens === undefined) return { reason: 'ServicePortError', message: `${which} is not listening on port ${port}` }
  if (slices.length === 0) return { reason: 'EndpointsNotFound', message: `cannot find endpointslices for ${which}` }
  const portName = listens.name ?? ''
  if (slices.some((slice) => isReady(slice, portName))) return undefined
  return { reason: 'MissingEndpoints', message: `endpointslices for ${which} have no addresses with port name "${portName}"` }
}

function isReady({ endpoints, ports }: Readonly<EndpointSlice>, portName: string): boolean {
  const ready = (endpoints ?? []).some((endpoint) => endpoint.conditions?.ready !== false)
  return ready && (ports ?? []).some((port) => port.name === portName && port.port !== undefined)
}

async function tell(ctx: Ctx, client: Client, have: Readonly<APIService>, next: ReturnType<typeof condition>): Promise<void> {
  const status = withCondition(have.status, next)
  if (equalJson(status, have.status)) return
  await client.update(ctx, apiServices, { ...(cloneJson(have) as APIService), status }, { subresource: 'status' })
}
