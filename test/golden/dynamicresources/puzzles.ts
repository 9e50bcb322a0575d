/** Puzzles for the allocator of devices, each from its number: slices of two drivers, a node, devices in use, claims of all sorts. Upstream's answers to them are answers.jsonl.gz. */
import type * as k from '../../../core/api/schema/types.ts'
import { type Random, seededRandom } from '../../../core/lib/random.ts'

export interface Puzzle {
  readonly node: k.Node
  readonly slices: readonly k.ResourceSlice[]
  readonly classes: readonly k.DeviceClass[]
  readonly claims: readonly k.ResourceClaim[]
  /** Devices in use, as `driver/pool/device`. */
  readonly whole: readonly string[]
  /** Of devices that several share: what is taken of them. */
  readonly shared: Readonly<Record<string, Readonly<Record<string, string>>>>
}

class Dice {
  readonly random: Random

  constructor(seed: number) {
    this.random = seededRandom(seed)
  }

  of<T>(list: readonly T[]): T {
    return list[this.random.int(list.length)] as T
  }

  /** Once in so many times. */
  once(times: number): boolean {
    return this.random.int(times) === 0
  }

  some<T>(list: readonly T[]): T[] {
    return list.filter(() => this.once(2))
  }

  list<T>(least: number, most: number, make: (i: number) => T): T[] {
    return Array.from({ length: least + this.random.int(most - least + 1) }, (_, i) => make(i))
  }
}

const drivers = ['a.example.com', 'b.example.com'] as const
const zone = (value: string): k.NodeSelector => ({ nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: [value] }] }] })
const expressions = [
  'device.driver == "a.example.com"',
  'device.driver == "b.example.com" || device.attributes["a.example.com"].size >= 2',
  'device.attributes["b.example.com"].?color.orValue("") == "red"',
  '"a.example.com" in device.attributes && device.attributes["a.example.com"].fast',
  '!("b.example.com" in device.capacity) || device.capacity["b.example.com"].memory.compareTo(quantity("5G")) >= 0',
  'device.attributes[device.driver].model.isGreaterThan(semver("1.2.0"))',
  'device.allowMultipleAllocations',
  'device.attributes["shared.example.com"].group == 1',
  'has(device.attributes["a.example.com"].color)',
  'cel.bind(own, device.attributes["b.example.com"], has(own.size) && own.size < 3)',
  'device.capacity["b.example.com"].size() == 0',
  'true',
]

function attributes(dice: Dice): Record<string, k.DeviceAttribute> {
  return {
    ...(dice.once(15) ? {} : { size: { int: dice.random.int(4) } }),
    ...(dice.once(6) ? {} : { color: { string: dice.of(['red', 'green']) } }),
    ...(dice.once(15) ? {} : { fast: { bool: dice.once(2) } }),
    ...(dice.once(15) ? {} : { model: { version: dice.of(['1.0.0', '1.2.1', '2.0.0-rc.1']) } }),
    ...(dice.once(15) ? {} : { 'shared.example.com/group': { int: dice.random.int(3) } }),
  }
}

function capacity(dice: Dice, isShared: boolean): Record<string, k.DeviceCapacity> {
  const policies: readonly k.CapacityRequestPolicy[] = [
    { default: '1Gi', validRange: { min: '1Gi', step: '512Mi' } },
    { default: '2Gi', validRange: { min: '1Gi', max: '4Gi' } },
    { default: '1Gi', validValues: ['1Gi', '2Gi', '6Gi'] },
    { default: '1500M' },
  ]
  return {
    memory: { value: dice.of(['4Gi', '8Gi', '10G']), ...(isShared && !dice.once(3) ? { requestPolicy: dice.of(policies) } : {}) },
    ...(dice.once(2) ? { lanes: { value: dice.of(['4', '8']), ...(isShared ? { requestPolicy: { default: '1', validRange: { min: '1', step: '2' } } } : {}) } } : {}),
  }
}

function deviceOf(dice: Dice, name: string, counters: boolean): k.Device {
  const isShared = dice.once(3)
  return {
    name,
    attributes: attributes(dice),
    ...(isShared || dice.once(2) ? { capacity: capacity(dice, isShared) } : {}),
    ...(isShared ? { allowMultipleAllocations: true } : {}),
    ...(counters && !dice.once(3) ? { consumesCounters: [{ counterSet: 'chip', counters: { cores: { value: dice.of(['1', '2', '4']) }, ...(dice.once(2) ? { memory: { value: '1Gi' } } : {}) } }] } : {}),
    ...(dice.once(9) ? { taints: [{ key: 'state', value: dice.of(['ill', 'old']), effect: dice.of(['NoSchedule', 'NoExecute', 'None']) }] } : {}),
    ...(dice.once(10) ? { bindingConditions: ['ready'], bindingFailureConditions: ['failed'] } : {}),
    ...(dice.once(10) ? { bindsToNode: true } : {}),
  }
}

/** Of a slice, or of a device in a slice that leaves it to its devices. */
function reach(dice: Dice): Pick<k.Device, 'nodeName' | 'allNodes' | 'nodeSelector'> {
  return dice.of([{ nodeName: 'n1' }, { nodeName: 'n1' }, { nodeName: 'n2' }, { allNodes: true }, { allNodes: true }, { nodeSelector: zone('x') }, { nodeSelector: zone('y') }])
}

function poolOf(dice: Dice, driver: string, name: string): k.ResourceSlice[] {
  const counters = dice.once(3)
  const parts = 1 + dice.random.int(2)
  const generation = 1 + dice.random.int(2)
  const pool: k.ResourcePool = { name, generation, resourceSliceCount: parts + (counters ? 1 : 0) + (dice.once(30) ? 1 : 0) }
  const id = `${driver.charAt(0)}-${name}`
  const twins = dice.once(40)
  const slices = Array.from({ length: parts }, (_, i): k.ResourceSlice => {
    const each = dice.once(4)
    const devices = dice.list(1, 4, (j) => ({ ...deviceOf(dice, twins ? `d${j}` : `d${i}${j}`, counters), ...(each ? reach(dice) : {}) }))
    return { metadata: { name: `${id}-${dice.random.int(10)}${i}` }, spec: { driver, pool, devices, ...(each ? { perDeviceNodeSelection: true } : reach(dice)) } }
  })
  if (counters) {
    const sharedCounters = [{ name: 'chip', counters: { cores: { value: dice.of(['3', '6']) }, memory: { value: '2Gi' } } }]
    slices.push({ metadata: { name: `${id}-counters` }, spec: { driver, pool, sharedCounters, allNodes: true } })
  }
  if (dice.once(6)) slices.unshift({ metadata: { name: `${id}-stale` }, spec: { driver, pool: { ...pool, generation: generation - 1 }, allNodes: true, devices: [deviceOf(dice, 'stale', false)] } })
  return slices
}

function ask(dice: Dice): k.DeviceSubRequest {
  const all = dice.once(6)
  return {
    name: '',
    deviceClassName: dice.of(['any', 'any', 'own', 'red']),
    ...(all ? { allocationMode: 'All' } : { allocationMode: 'ExactCount', count: 1 + dice.random.int(2) }),
    ...(dice.once(3) ? { selectors: [{ cel: { expression: dice.of(expressions) } }] } : {}),
    ...(dice.once(3) ? { tolerations: [dice.of<k.DeviceToleration>([{ operator: 'Exists' }, { key: 'state', operator: 'Equal', value: 'ill', effect: 'NoSchedule' }, { key: 'state', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 10 }])] } : {}),
    ...(dice.once(4) ? { capacity: { requests: { memory: dice.of(['1Gi', '1700Mi', '3Gi', '100M', '9Gi']), ...(dice.once(4) ? { lanes: '2' } : {}) } } } : {}),
  }
}

function requestOf(dice: Dice, i: number): k.DeviceRequest {
  const name = `r${i}`
  if (dice.once(3)) return { name, firstAvailable: dice.list(1, 3, (j) => ({ ...ask(dice), name: `s${j}` })) }
  const { name: _, ...exactly } = ask(dice)
  return { name, exactly: { ...exactly, ...(dice.once(8) ? { adminAccess: true } : {}) } }
}

const opaque = (note: string): k.OpaqueDeviceConfiguration => ({ driver: drivers[0], parameters: { note } })

function claimOf(dice: Dice, i: number): k.ResourceClaim {
  const requests = dice.list(1, 3, (j) => requestOf(dice, j))
  const refs = requests.flatMap(({ name, firstAvailable = [] }) => [name, ...firstAvailable.map((sub) => `${name}/${sub.name}`)])
  const constraints = dice.list(0, 2, (): k.DeviceConstraint => ({
    ...(dice.once(2) ? { requests: dice.some(refs) } : {}),
    ...dice.of([{ matchAttribute: 'a.example.com/color' }, { matchAttribute: 'shared.example.com/group' }, { distinctAttribute: 'a.example.com/size' }, { distinctAttribute: 'shared.example.com/group' }]),
  }))
  const config = dice.list(0, 2, (j): k.DeviceClaimConfiguration => ({ ...(dice.once(2) ? { requests: dice.some(refs) } : {}), opaque: opaque(`claim ${j}`) }))
  return { metadata: { name: `c${i}`, namespace: 'ns', uid: `u${i}` }, spec: { devices: { requests, ...(dice.once(3) ? { constraints } : {}), config } } }
}

const classes: readonly k.DeviceClass[] = [
  { metadata: { name: 'any' }, spec: {} },
  { metadata: { name: 'own' }, spec: { selectors: [{ cel: { expression: 'device.driver == "a.example.com"' } }], config: [{ opaque: opaque('own') }, { opaque: opaque('own too') }] } },
  { metadata: { name: 'red' }, spec: { selectors: [{ cel: { expression: 'device.attributes[device.driver].?color.orValue("") == "red"' } }], config: [{ opaque: opaque('red') }] } },
]

export function puzzle(number: number): Puzzle {
  const dice = new Dice(number)
  const slices = drivers.flatMap((driver) => dice.list(1, 2, (i) => poolOf(dice, driver, `${driver.charAt(0)}${i}`)).flat())
  const whole: string[] = []
  const shared: Record<string, Record<string, string>> = {}
  for (const { spec: { driver, pool, devices = [] } } of slices) {
    for (const { name, allowMultipleAllocations, capacity: has } of devices) {
      if (!dice.once(10)) continue
      const id = `${driver}/${pool.name}/${name}`
      if (allowMultipleAllocations === true) shared[id] = Object.fromEntries(Object.keys(has ?? {}).map((key) => [key, key === 'memory' ? dice.of(['1Gi', '3Gi']) : '1']))
      else whole.push(id)
    }
  }
  return { node: { metadata: { name: 'n1', labels: { zone: 'x' } } }, slices, classes, claims: dice.list(1, 2, (i) => claimOf(dice, i)), whole, shared }
}
