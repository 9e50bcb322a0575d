import { describe, expect, it } from 'vitest'
import { autoscalerConversion } from './autoscaling/conversion.ts'
import { eventConversion } from './events/conversion.ts'
import type { AutoscalingV1HorizontalPodAutoscaler, EventsV1Event } from './schema/types.ts'

describe('kinds that share stored objects', () => {
  it('an event keeps everything on the way to core/v1 and back', () => {
    const event: EventsV1Event = {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: 'e', namespace: 'default' },
      eventTime: '2026-01-01T00:00:00.000000Z',
      note: 'pulled',
      regarding: { kind: 'Pod', name: 'a' },
      reportingController: 'kubelet',
      reason: 'Pulled',
      type: 'Normal',
    }
    const stored = eventConversion.toStored(event)
    expect(stored).toMatchObject({ apiVersion: 'v1', message: 'pulled', involvedObject: { kind: 'Pod', name: 'a' }, reportingComponent: 'kubelet' })
    expect(eventConversion.fromStored(stored)).toEqual(event)
  })

  it('an autoscaler keeps its CPU target as a metric, and other metrics across v1', () => {
    const v1: AutoscalingV1HorizontalPodAutoscaler = {
      apiVersion: 'autoscaling/v1',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'web' },
      spec: { scaleTargetRef: { kind: 'Deployment', name: 'web' }, maxReplicas: 3, targetCPUUtilizationPercentage: 80 },
      status: { currentReplicas: 1, desiredReplicas: 2 },
    }
    const v2 = autoscalerConversion.toStored(v1)
    expect(v2['spec']).toMatchObject({ metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { averageUtilization: 80 } } }] })
    expect(autoscalerConversion.fromStored(v2)).toEqual(v1)
    const memory = { type: 'Resource', resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '1Gi' } } }
    const spec = v2['spec'] as { metrics: unknown[] }
    const rich = { ...v2, spec: { ...spec, metrics: [memory, ...spec.metrics] } }
    expect(autoscalerConversion.toStored(autoscalerConversion.fromStored(rich))).toEqual(rich)
  })
})
