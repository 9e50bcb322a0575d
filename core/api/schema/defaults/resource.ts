/** Defaults of the group resource.k8s.io, all versions. After k8s.io/kubernetes/pkg/apis/resource/{v1,v1beta1,v1beta2}/defaults.go. */
import type { DefaultsEnv, Rules } from '../defaults.ts'

interface Request {
  allocationMode?: string
  count?: number
}

interface Device {
  nodeAllocatableResourceMappings?: { [name: string]: { allocationMultiplier?: string } }
}

export const resourceDefaults = {
  ExactDeviceRequest: defaultRequest,
  ResourceV1beta2ExactDeviceRequest: defaultRequest,
  DeviceSubRequest: defaultRequest,
  ResourceV1beta1DeviceSubRequest: defaultRequest,
  ResourceV1beta2DeviceSubRequest: defaultRequest,
  ResourceV1beta1DeviceRequest(request: Request & { deviceClassName?: string }) {
    // Without a class it is a list of alternatives, which have the count.
    if ((request.deviceClassName ?? '') !== '') defaultRequest(request)
  },
  DeviceTaint: defaultTime,
  ResourceV1alpha3DeviceTaint: defaultTime,
  ResourceV1beta1DeviceTaint: defaultTime,
  ResourceV1beta2DeviceTaint: defaultTime,
  Device: defaultDevice,
  ResourceV1beta2Device: defaultDevice,
  BasicDevice: defaultDevice,
} satisfies Rules

function defaultRequest(request: Request): void {
  request.allocationMode ??= 'ExactCount'
  if (request.allocationMode === 'ExactCount' && (request.count ?? 0) === 0) request.count = 1
}

function defaultTime(taint: { timeAdded?: string }, env: DefaultsEnv): void {
  taint.timeAdded ??= `${new Date(env.now).toISOString().slice(0, 19)}Z`
}

function defaultDevice(device: Device): void {
  for (const mapping of Object.values(device.nodeAllocatableResourceMappings ?? {})) mapping.allocationMultiplier ??= '1'
}
