/** Claims as errors show them: in upstream's internal form, which has Go's names and says null for what is not there (apis/resource/types.go). */
import type * as k from '../schema/types.ts'

type Shown = Readonly<Record<string, unknown>>

const orNull = (value: unknown): unknown => value ?? null

export function shownClaimSpec({ devices }: Readonly<k.ResourceClaimSpec>): Shown {
  return {
    Devices: {
      Requests: devices?.requests?.map(request) ?? null,
      Constraints: devices?.constraints?.map((c) => ({ Requests: orNull(c.requests), MatchAttribute: orNull(c.matchAttribute), DistinctAttribute: orNull(c.distinctAttribute) })) ?? null,
      Config: devices?.config?.map((c) => ({ Requests: orNull(c.requests), Opaque: opaque(c.opaque) })) ?? null,
    },
  }
}

export function shownTemplateSpec({ metadata, spec }: Readonly<k.ResourceClaimTemplateSpec>): Shown {
  const { labels, annotations } = metadata ?? {}
  return { ...(labels === undefined ? {} : { labels }), ...(annotations === undefined ? {} : { annotations }), Spec: shownClaimSpec(spec) }
}

function request({ name, exactly, firstAvailable }: Readonly<k.DeviceRequest>): Shown {
  return {
    Name: name,
    Exactly: exactly === undefined ? null : {
      ...choice(exactly), AdminAccess: orNull(exactly.adminAccess), Tolerations: tolerations(exactly.tolerations), Capacity: capacity(exactly.capacity),
    },
    FirstAvailable: firstAvailable?.map((sub) => ({ Name: sub.name, ...choice(sub), Tolerations: tolerations(sub.tolerations), Capacity: capacity(sub.capacity) })) ?? null,
  }
}

function choice(of: Readonly<k.ExactDeviceRequest | k.DeviceSubRequest>): Shown {
  return {
    DeviceClassName: of.deviceClassName,
    Selectors: of.selectors?.map(({ cel }) => ({ CEL: cel === undefined ? null : { Expression: cel.expression } })) ?? null,
    AllocationMode: of.allocationMode ?? '',
    Count: of.count ?? 0,
  }
}

function tolerations(of: readonly Readonly<k.DeviceToleration>[] | undefined): unknown {
  return of?.map((t) => ({ Key: t.key ?? '', Operator: t.operator ?? '', Value: t.value ?? '', Effect: t.effect ?? '', TolerationSeconds: orNull(t.tolerationSeconds) })) ?? null
}

function capacity(of: Readonly<k.CapacityRequirements> | undefined): unknown {
  return of === undefined ? null : { Requests: orNull(of.requests) }
}

function opaque(of: Readonly<k.OpaqueDeviceConfiguration> | undefined): unknown {
  return of === undefined ? null : { Driver: of.driver, Parameters: orNull(of.parameters) }
}

export function shownAllocation({ devices, nodeSelector, allocationTimestamp }: Readonly<k.AllocationResult>): Shown {
  return {
    Devices: {
      Results: devices?.results?.map(result) ?? null,
      Config: devices?.config?.map((c) => ({ Source: c.source, Requests: orNull(c.requests), Opaque: opaque(c.opaque) })) ?? null,
    },
    NodeSelector: nodeSelector === undefined ? null : { NodeSelectorTerms: shownTerms(nodeSelector.nodeSelectorTerms) },
    AllocationTimestamp: orNull(allocationTimestamp),
  }
}

function result(of: Readonly<k.DeviceRequestAllocationResult>): Shown {
  return {
    Request: of.request, Driver: of.driver, Pool: of.pool, Device: of.device, AdminAccess: orNull(of.adminAccess), Tolerations: tolerations(of.tolerations),
    BindingConditions: orNull(of.bindingConditions), BindingFailureConditions: orNull(of.bindingFailureConditions), ShareID: orNull(of.shareID), ConsumedCapacity: orNull(of.consumedCapacity),
  }
}

export function shownTerms(terms: readonly Readonly<k.NodeSelectorTerm>[] | undefined): unknown {
  const requirements = (of: readonly Readonly<k.NodeSelectorRequirement>[] | undefined): unknown =>
    of?.map(({ key, operator, values }) => ({ Key: key, Operator: operator, Values: orNull(values) })) ?? null
  return terms?.map((term) => ({ MatchExpressions: requirements(term.matchExpressions), MatchFields: requirements(term.matchFields) })) ?? null
}

export function shownAttribute(of: Readonly<k.DeviceAttribute>): Shown {
  return {
    IntValue: orNull(of.int), BoolValue: orNull(of.bool), StringValue: orNull(of.string), VersionValue: orNull(of.version),
    IntValues: orNull(of.ints), BoolValues: orNull(of.bools), StringValues: orNull(of.strings), VersionValues: orNull(of.versions),
  }
}
