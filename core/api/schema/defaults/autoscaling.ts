/** Defaults of the group autoscaling. After k8s.io/kubernetes/pkg/apis/autoscaling/{v1,v2}/defaults.go. */
import type * as k from '../types.ts'
import type { Rules } from '../defaults.ts'

export const autoscalingDefaults = {
  AutoscalingV1HorizontalPodAutoscalerSpec(spec: k.AutoscalingV1HorizontalPodAutoscalerSpec) {
    spec.minReplicas ??= 1
  },
  HorizontalPodAutoscalerSpec(spec: k.HorizontalPodAutoscalerSpec) {
    spec.minReplicas ??= 1
    spec.metrics ??= [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }]
    const behavior = spec.behavior
    if (behavior === undefined) return
    behavior.scaleUp = { ...scaleUp(), ...behavior.scaleUp }
    behavior.scaleDown = { ...scaleDown(), ...behavior.scaleDown }
  },
} satisfies Rules

function scaleUp(): k.HPAScalingRules {
  return {
    stabilizationWindowSeconds: 0,
    selectPolicy: 'Max',
    policies: [
      { type: 'Pods', value: 4, periodSeconds: 15 },
      { type: 'Percent', value: 100, periodSeconds: 15 },
    ],
  }
}

function scaleDown(): k.HPAScalingRules {
  return { selectPolicy: 'Max', policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] }
}
