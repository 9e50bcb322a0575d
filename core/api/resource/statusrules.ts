/**
 * Rules of a ResourceClaim's status: what was allocated, for whom, and what drivers say of it
 * (pkg/apis/resource/validation/validation.go, pkg/registry/resource/resourceclaim/strategy.go). Who may write which part is an
 * admission plugin's.
 */
import { equalJson } from '../../lib/json.ts'
import { formatIp } from '../../lib/ip.ts'
import { label, looseCidr, looseIp, needsOneOf, needsText, qualified, type Errors } from '../checks.ts'
import { validateNodeSelector } from '../core/podspec/affinity.ts'
import { duplicate, forbiddenField, invalidValue, notSupported, path, required, tooLong, tooMany, type Path } from '../field.ts'
import type { StatusRules } from '../kind.ts'
import { immutableSentence } from '../metavalidation.ts'
import { patternSentence } from '../names.ts'
import type * as k from '../schema/types.ts'
import { requestNames, requestRef, requestRefs, type RequestNames } from './claimrules.ts'
import { bindingConditions, configMax, configuration, rawObject } from './configrules.ts'
import { driverName, each, eachOnce, poolName, shareId } from './names.ts'
import { shownAllocation } from './shown.ts'

const resultsMax = 32
const reservedMax = 256
const conditionsMax = 8
const addressesMax = 16
const interfaceNameBytesMax = 256
const hardwareAddressBytesMax = 128

interface Allocated {
  readonly driver: string
  readonly pool: string
  readonly device: string
  readonly shareID?: string
}

/** One device, or one share of it, as errors show it. */
function idOf({ driver, pool, device, shareID = '' }: Readonly<Allocated>): string {
  return JSON.stringify({ Driver: driver, Pool: pool, Device: device, ShareID: shareID })
}

const idsOf = (allocation: Readonly<k.AllocationResult> | undefined): Set<string> => new Set(allocation?.devices?.results?.map(idOf))

/** What drivers said of devices goes with the devices. */
function dropDeallocated(next: k.ResourceClaim, prev: Readonly<k.ResourceClaim>): void {
  const { status } = next
  if (status?.devices === undefined) return
  const [before, after] = [idsOf(prev.status?.allocation), idsOf(status.allocation)]
  status.devices = status.devices.filter((device) => !before.has(idOf(device)) || after.has(idOf(device)))
  if (status.devices.length === 0) delete status.devices
}

const none: k.ResourceClaimStatus = {}

function validateStatus(next: Readonly<k.ResourceClaim>, prev: Readonly<k.ResourceClaim>): Errors {
  const errors: Errors = []
  const at = path('status')
  const [status, before] = [next.status ?? none, prev.status ?? none]
  const { allocation, reservedFor = [] } = status
  const reservedAt = at.child('reservedFor')
  eachOnce(errors, status.reservedFor, reservedMax, reservedAt, ({ uid }) => uid, consumer)
  const allocated = idsOf(allocation)
  status.devices?.forEach((device, i) => deviceStatus(errors, device, at.child('devices').index(i), allocated))
  onceEach(errors, status.devices ?? [], at.child('devices'))
  if (reservedFor.length > 0 && allocation === undefined) errors.push(forbiddenField(reservedAt, 'may not be specified when `allocated` is not set'))
  else if (next.metadata.deletionTimestamp !== undefined && reservedFor.some((one) => !(before.reservedFor ?? []).some((old) => equalJson(old, one)))) {
    errors.push(forbiddenField(reservedAt, 'new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set'))
  }
  if (allocation === undefined) return errors
  const here = at.child('allocation')
  if (before.allocation === undefined) allocationResult(errors, allocation, here, requestNames(next.spec))
  else if (!equalJson(allocation, before.allocation)) errors.push(invalidValue(here, shownAllocation(allocation), immutableSentence))
  return errors

  function consumer({ resource, name, uid }: Readonly<k.ResourceClaimConsumerReference>, here: Path): void {
    needsText(errors, resource, here.child('resource'))
    needsText(errors, name, here.child('name'))
    needsText(errors, uid, here.child('uid'))
  }
}

function onceEach(errors: Errors, devices: readonly Readonly<k.AllocatedDeviceStatus>[], at: Path): void {
  const seen = new Set<string>()
  devices.forEach((device, i) => {
    const id = idOf(device)
    if (seen.has(id)) errors.push(duplicate(at.index(i), JSON.parse(id)))
    seen.add(id)
  })
}

function allocationResult(errors: Errors, { devices, nodeSelector }: Readonly<k.AllocationResult>, at: Path, names: RequestNames): void {
  const here = at.child('devices')
  each(errors, devices?.results, resultsMax, here.child('results'), (result, place) => {
    requestRef(errors, result.request, place.child('request'), names)
    driverName(errors, result.driver, place.child('driver'))
    poolName(errors, result.pool, place.child('pool'))
    label(errors, result.device, place.child('device'))
    bindingConditions(errors, result, place)
    if (result.shareID !== undefined) shareId(errors, result.shareID, place.child('shareID'))
  })
  // a class's and a claim's
  each(errors, devices?.config, 2 * configMax, here.child('config'), (config, place) => {
    needsOneOf(errors, config.source, ['FromClaim', 'FromClass'], place.child('source'))
    requestRefs(errors, config.requests, place.child('requests'), names)
    configuration(errors, config, place)
  })
  if (nodeSelector !== undefined) validateNodeSelector(errors, nodeSelector, at.child('nodeSelector'))
}

function deviceStatus(errors: Errors, of: Readonly<k.AllocatedDeviceStatus>, at: Path, allocated: ReadonlySet<string>): void {
  driverName(errors, of.driver, at.child('driver'))
  poolName(errors, of.pool, at.child('pool'))
  label(errors, of.device, at.child('device'))
  if (of.shareID !== undefined) shareId(errors, of.shareID, at.child('shareID'))
  const id = idOf(of)
  if (!allocated.has(id)) errors.push(invalidValue(at, JSON.parse(id), 'must be an allocated device in the claim'))
  const { conditions = [] } = of
  const here = at.child('conditions')
  if (conditions.length > conditionsMax) errors.push(tooMany(here, conditions.length, conditionsMax))
  conditions.forEach((condition, i) => {
    if (conditions.findIndex(({ type }) => type === condition.type) < i) errors.push(duplicate(here.index(i).child('type'), condition.type))
    validateCondition(errors, condition, here.index(i))
  })
  if (of.data !== undefined) rawObject(errors, of.data, at.child('data'))
  if (of.networkData !== undefined) network(errors, of.networkData, at.child('networkData'))
}

function network(errors: Errors, { interfaceName = '', hardwareAddress = '', ips }: Readonly<k.NetworkDeviceData>, at: Path): void {
  if (Buffer.byteLength(interfaceName) > interfaceNameBytesMax) errors.push(tooLong(at.child('interfaceName'), interfaceNameBytesMax))
  if (Buffer.byteLength(hardwareAddress) > hardwareAddressBytesMax) errors.push(tooLong(at.child('hardwareAddress'), hardwareAddressBytesMax))
  eachOnce(errors, ips, addressesMax, at.child('ips'), (ip) => ip, (ip, here) => interfaceAddress(errors, ip, here))
}

/** An address with the length of its network: `192.168.1.5/24`. */
function interfaceAddress(errors: Errors, text: string, at: Path): void {
  const [cidr, ip] = [looseCidr(text), looseIp(text.slice(0, Math.max(text.indexOf('/'), 0)))]
  if (cidr === undefined || ip === undefined) {
    errors.push(invalidValue(at, text, 'must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)'))
    return
  }
  const canonical = `${formatIp(ip)}/${cidr.bits}`
  if (canonical !== text) errors.push(invalidValue(at, text, `must be in canonical form (${JSON.stringify(canonical)})`))
}

const reasonPattern = '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?'
const reasonSentence = patternSentence(
  "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'",
  reasonPattern, 'my_name', 'MY_NAME', 'MyName', 'ReasonA,ReasonB', 'ReasonA:ReasonB',
)
const reasonRegExp = new RegExp(`^${reasonPattern}$`)
const reasonBytesMax = 1_024
const messageBytesMax = 32 * 1_024

/** metav1.Condition, where upstream is strict about it (apimachinery/pkg/apis/meta/v1/validation). */
function validateCondition(errors: Errors, { type, status, observedGeneration = 0, lastTransitionTime, reason, message }: Readonly<k.Condition>, at: Path): void {
  qualified(errors, type, at.child('type'))
  const statuses = ['False', 'True', 'Unknown']
  if (!statuses.includes(status)) errors.push(notSupported(at.child('status'), status, statuses))
  if (observedGeneration < 0) errors.push(invalidValue(at.child('observedGeneration'), observedGeneration, 'must be greater than or equal to zero'))
  needsText(errors, lastTransitionTime, at.child('lastTransitionTime'))
  if (reason === '') errors.push(required(at.child('reason')))
  else {
    if (!reasonRegExp.test(reason)) errors.push(invalidValue(at.child('reason'), reason, reasonSentence))
    if (Buffer.byteLength(reason) > reasonBytesMax) errors.push(tooLong(at.child('reason'), reasonBytesMax))
  }
  if (Buffer.byteLength(message) > messageBytesMax) errors.push(tooLong(at.child('message'), messageBytesMax))
}

export const claimStatus: StatusRules<k.ResourceClaim> = {
  prepareUpdate: dropDeallocated,
  validateUpdate: validateStatus,
}
