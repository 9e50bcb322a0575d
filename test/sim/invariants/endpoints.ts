/** When all is settled, a Service names pods that are there, and those alone. */
import type { EndpointSlice, Pod } from '../../../core/api/schema/types.ts'
import type { Invariant } from '../invariant.ts'

export const endpointsExist: Invariant = {
  name: 'endpoints name pods that exist',
  begin: ({ history }) => ({
    end() {
      const pods = history.all<Pod>('pods')
      for (const [slice, { endpoints, metadata }] of history.all<EndpointSlice>('discovery.k8s.io/endpointslices')) {
        for (const { targetRef, addresses } of endpoints ?? []) {
          if (targetRef?.kind !== 'Pod') continue
          const pod = pods.get(`${targetRef.namespace ?? metadata.namespace ?? ''}/${targetRef.name ?? ''}`)
          if (pod === undefined || pod.metadata.uid !== targetRef.uid) return `${slice} names ${targetRef.name ?? ''}, which is not there`
          if (!addresses.includes(pod.status?.podIP ?? '')) return `${slice} has ${addresses.join()} for ${targetRef.name ?? ''}, which is at ${pod.status?.podIP ?? ''}`
        }
      }
      return undefined
    },
  }),
}
