/**
 * EndpointSlice mirroring: Endpoints that a user keeps for a Service without a selector are shown as EndpointSlices, which
 * is what proxies and DNS read. What the slices are is mirror.ts.
 */
import { endpoints } from '../../api/core/endpoints.ts'
import { services } from '../../api/core/service.ts'
import { endpointSlices } from '../../api/discovery/endpointslice.ts'
import { isBeingDeleted, keyOf } from '../../api/meta.ts'
import type { EndpointSlice } from '../../api/schema/types.ts'
import type { Controller } from '../controller.ts'
import { managedByLabel, serviceNameLabel } from '../endpointslice/plan.ts'
import { isTerminatingNamespace } from '../podcontrol.ts'
import { itself } from '../run.ts'
import { isMirrored, mirroredMax, mirrorer, type MirrorPlan, planMirror } from './mirror.ts'

const mirroredIndex = 'mirrored'

export const endpointSliceMirroring: Controller = {
  name: 'endpointslicemirroring-controller',
  component: 'endpoint-slice-mirroring-controller',
  workers: 5,
  setUp(env) {
    const have = env.watch(endpoints, itself)
    const lister = env.watch(services, itself)
    const slices = env.watch(endpointSlices, mirrorKeys)
    env.informers.of(endpointSlices).addIndex(mirroredIndex, mirrorKeys)
    return async (ctx, key, client) => {
      const object = have.at(key)
      const mine = slices.by(mirroredIndex, key).filter((slice) => !isBeingDeleted(slice))
      if (!isMirrored(object, lister.at(key))) {
        for (const slice of mine) await client.delete(ctx, endpointSlices, keyOf(slice))
        return
      }
      const plan = planMirror(object, mine)
      for (const why of complaints(plan)) env.recorder.event(endpoints, object, 'Warning', ...why)
      try {
        // Slices that would be made now would go with the Endpoints.
        for (const slice of isBeingDeleted(object) ? [] : plan.create) await client.create(ctx, endpointSlices, slice)
        for (const slice of plan.update) await client.update(ctx, endpointSlices, slice)
        for (const slice of plan.remove) await client.delete(ctx, endpointSlices, keyOf(slice))
      } catch (error) {
        if (!isTerminatingNamespace(error)) throw error
      }
    }
  },
}

function mirrorKeys(slice: Readonly<EndpointSlice>): readonly string[] {
  const { [managedByLabel]: manager, [serviceNameLabel]: service = '' } = slice.metadata.labels ?? {}
  return manager === mirrorer && service !== '' ? [`${slice.metadata.namespace}/${service}`] : []
}

function complaints({ invalid, skipped }: MirrorPlan): readonly (readonly [reason: string, message: string])[] {
  return [
    ...(invalid === 0 ? [] : [['InvalidIPAddress', `Skipped ${invalid} invalid IP addresses when mirroring to EndpointSlices`] as const]),
    ...(skipped <= invalid ? [] : [['TooManyAddressesToMirror', `A max of ${mirroredMax} addresses can be mirrored to EndpointSlices per Endpoints subset. ${skipped} addresses were skipped`] as const]),
  ]
}
