/** Which taints of devices a request tolerates (k8s.io/dynamic-resource-allocation/resourceclaim/devicetoleration.go). What an effect means is the caller's. */
import type { DeviceTaint, DeviceToleration } from '../schema/types.ts'

export function toleratesTaint({ effect = '', key = '', operator = '', value = '' }: Readonly<DeviceToleration>, taint: Readonly<DeviceTaint>): boolean {
  if ((effect !== '' && effect !== taint.effect) || (key !== '' && key !== taint.key)) return false
  return operator === 'Exists' || ((operator === '' || operator === 'Equal') && value === (taint.value ?? ''))
}
