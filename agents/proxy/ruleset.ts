/**
 * The nftables table `inet kubun-services` as text, from frontends. Layout: maps
 * do the work and hold everything that changes; chains exist once for each
 * number of endpoints, not for each Service, so that one change is a few elements
 * whatever the size. Pure; proxy.ts decides when, agents/host/nft.ts loads.
 *
 * The way of a packet: its destination (address . protocol . port) finds a chain
 * in @services, the chain draws a slot and finds the endpoint in @endpoints. What
 * still carries a Service address after that is refused in the filter hooks.
 */
import type { Frontend } from './frontends.ts'

export const serviceTable = 'inet kubun-services'

/**
 * The slot that was drawn travels in the packet's mark, and with it this bit (upstream's) when the source is to become
 * this node's. Only the first packet of a connection is marked; postrouting clears it.
 */
const masqueradeMark = 0x4000
/** Endpoints one address and port may have: their numbers share the mark with the bit above. More are left out. */
export const backendsMax = masqueradeMark - 1
/** Clients with affinity that are remembered at once; past it new ones are balanced like any other. */
export const stickyClientsMax = 262_144
/** Elements of one statement; longer ones are split, as nft's parser slows with the line. */
const elementsPerLine = 500

export interface RulesetConfig {
  /** Addresses of all pods. */
  readonly clusterCidrs: readonly string[]
  /** Addresses of this node's pods; may be unknown. */
  readonly podCidrs: readonly string[]
  /** Every address here is answered or refused on this machine. */
  readonly serviceCidrs: readonly string[]
  /** Service addresses that the node itself holds (cluster DNS). */
  readonly ownIps: readonly string[]
}

/** What the table holds besides its fixed part: elements of each map and set, and chains with their rules. */
export interface Content {
  readonly elements: Readonly<Record<MapName, ReadonlyMap<string, string>>>
  readonly chains: ReadonlyMap<string, readonly string[]>
}

const key = 'ip daddr . meta l4proto . th dport'
/** Plain types, never `typeof`: nft makes a map of `tcp dport` match TCP alone, and refuses `th dport` in a later transaction. */
const keyType = 'ipv4_addr . inet_proto . inet_service'

/** Every map and set with its type. `''` as value of an element: it is a set. The order is that of the text. */
const maps = {
  services: `type ${keyType} : verdict`,
  'inside-services': `type ${keyType} : verdict`,
  endpoints: `type ${keyType} . mark : ipv4_addr . inet_service`,
  'inside-endpoints': `type ${keyType} . mark : ipv4_addr . inet_service`,
  'sticky-slots': `type ${keyType} . mark : mark`,
  'sticky-endpoints': `type ${keyType} . mark : ipv4_addr . inet_service`,
  refused: `type ${keyType} : verdict`,
  'sticky-live': `type ${keyType} . mark`,
  hairpin: 'type ipv4_addr . ipv4_addr',
  guarded: `type ${keyType}`,
  sources: `type ${keyType} . ipv4_addr; flags interval`,
} as const
export type MapName = keyof typeof maps
const mapNames = Object.keys(maps) as MapName[]

export function contentOf(frontends: readonly Frontend[]): Content {
  const elements = Object.fromEntries(mapNames.map((name) => [name, new Map<string, string>()])) as Record<MapName, Map<string, string>>
  const chains = new Map<string, readonly string[]>()
  for (const frontend of frontends) {
    const f = frontend.backends.length <= backendsMax ? frontend : { ...frontend, backends: frontend.backends.slice(0, backendsMax) }
    const at = `${f.ip} . ${f.protocol} . ${f.port}`
    if (f.sources !== undefined) {
      elements.guarded.set(at, '')
      for (const range of f.sources) elements.sources.set(`${at} . ${range}`, '')
    }
    if (f.backends.length === 0) elements.refused.set(at, f.empty === 'drop' ? 'drop' : 'goto refuse')
    else if (f.from === 'inside') addInside(f, at, elements, chains)
    else if (f.stickyS !== undefined) addSticky(f, at, f.stickyS, elements, chains)
    else addPlain(f, at, elements, chains)
    for (const { ip } of f.backends) elements.hairpin.set(`${ip} . ${ip}`, '')
  }
  return { elements, chains }
}

type Elements = Record<MapName, Map<string, string>>
type Chains = Map<string, readonly string[]>

function mark(f: Frontend, number: number): string {
  return String(number | (f.masquerade ? masqueradeMark : 0))
}

function addPlain(f: Frontend, at: string, elements: Elements, chains: Chains): void {
  const n = f.backends.length
  const chain = `${f.masquerade ? 'any' : 'near'}-${n}`
  chains.set(chain, [`meta mark set numgen random mod ${n} offset ${mark(f, 0)}`, `dnat ip to ${key} . meta mark map @endpoints`])
  elements.services.set(at, `goto ${chain}`)
  f.backends.forEach((b, slot) => elements.endpoints.set(`${at} . ${mark(f, slot)}`, `${b.ip} . ${b.port}`))
}

function addInside(f: Frontend, at: string, elements: Elements, chains: Chains): void {
  const n = f.backends.length
  chains.set(`inside-${n}`, [`meta mark set numgen random mod ${n} offset ${mark(f, 0)}`, `dnat ip to ${key} . meta mark map @inside-endpoints`])
  elements['inside-services'].set(at, `goto inside-${n}`)
  f.backends.forEach((b, slot) => elements['inside-endpoints'].set(`${at} . ${mark(f, slot)}`, `${b.ip} . ${b.port}`))
}

/**
 * A client's endpoint is remembered by a number that stays with the endpoint, and looked up among the living ones
 * at every connection: an endpoint that is gone frees its clients at once, and nobody needs to read the map back.
 * (`update` never changes the value of an element that is there, so a dead number is deleted first.)
 */
function addSticky(f: Frontend, at: string, stickyS: number, elements: Elements, chains: Chains): void {
  const n = f.backends.length
  const client = `ip saddr . ${key}`
  chains.set(`hold-${stickyS}`, [
    `update @affinity { ${client} timeout ${stickyS}s : meta mark }`,
    `dnat ip to ${key} . meta mark map @sticky-endpoints`,
  ])
  chains.set(`sticky-${stickyS}-${n}`, [
    'meta mark set 0',
    `meta mark set ${client} map @affinity`,
    `${key} . meta mark @sticky-live goto hold-${stickyS}`,
    `delete @affinity { ${client} : meta mark }`,
    `meta mark set numgen random mod ${n}`,
    `meta mark set ${key} . meta mark map @sticky-slots`,
    `goto hold-${stickyS}`,
  ])
  elements.services.set(at, `goto sticky-${stickyS}-${n}`)
  const numbers = numbersOf(f)
  f.backends.forEach((b, slot) => {
    const number = mark(f, numbers[slot] ?? 0)
    elements['sticky-slots'].set(`${at} . ${slot}`, number)
    elements['sticky-endpoints'].set(`${at} . ${number}`, `${b.ip} . ${b.port}`)
    elements['sticky-live'].set(`${at} . ${number}`, '')
  })
}

/** A number from 1 for each backend, the same whoever else is there, but for collisions. */
function numbersOf(f: Frontend): number[] {
  const used = new Set<number>()
  return f.backends.map(({ ip, port }) => {
    let hash = 0x811c9dc5
    for (const c of `${ip}:${port}`) hash = Math.imul(hash ^ c.charCodeAt(0), 0x01000193) >>> 0
    let number = (hash % backendsMax) + 1
    while (used.has(number)) number = (number % backendsMax) + 1
    used.add(number)
    return number
  })
}

/** The whole table: replaces what is there in one transaction. */
export function render(config: RulesetConfig, content: Content): string {
  return [
    `add table ${serviceTable}`,
    `delete table ${serviceTable}`,
    `table ${serviceTable} {`,
    ...fixedSets(config),
    ...mapNames.map((name) => `  ${isSet(name) ? 'set' : 'map'} ${name} { ${maps[name]}; }`),
    '  chain refuse {',
    '    meta l4proto tcp reject with tcp reset',
    '    reject with icmpx port-unreachable',
    '  }',
    ...fixedChains,
    '}',
    ...changes(emptyContent, content),
  ].join('\n') + '\n'
}

/** What turns the table from `prev` into `next`; '' when nothing does. */
export function renderChange(prev: Content, next: Content): string {
  const lines = changes(prev, next)
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

export const emptyContent: Content = contentOf([])

function changes(prev: Content, next: Content): string[] {
  const lines: string[] = []
  for (const name of next.chains.keys()) if (!prev.chains.has(name)) lines.push(`add chain ${serviceTable} ${name}`)
  for (const [name, rules] of next.chains) {
    if (!prev.chains.has(name)) lines.push(...rules.map((rule) => `add rule ${serviceTable} ${name} ${rule}`))
  }
  for (const name of mapNames) {
    const [have, want] = [prev.elements[name], next.elements[name]]
    const gone = [...have].filter(([k, v]) => want.get(k) !== v).map(([k]) => k)
    const made = [...want].filter(([k, v]) => have.get(k) !== v).map(([k, v]) => (v === '' ? k : `${k} : ${v}`))
    lines.push(...statements('delete', name, gone), ...statements('add', name, made))
  }
  // After the elements that lead there; a chain goes before the chains it leads to itself.
  const stale = [...prev.chains.keys()].filter((name) => !next.chains.has(name)).toSorted().toReversed()
  lines.push(...stale.flatMap((name) => [`flush chain ${serviceTable} ${name}`, `delete chain ${serviceTable} ${name}`]))
  return lines
}

function statements(verb: 'add' | 'delete', name: MapName, items: readonly string[]): string[] {
  const lines: string[] = []
  for (let at = 0; at < items.length; at += elementsPerLine) {
    lines.push(`${verb} element ${serviceTable} ${name} { ${items.slice(at, at + elementsPerLine).join(', ')} }`)
  }
  return lines
}

function isSet(name: MapName): boolean {
  return !maps[name].includes(' : ')
}

function fixedSets(config: RulesetConfig): string[] {
  const set = (name: string, ranges: readonly string[]): string => {
    const mine = ranges.filter((range) => !range.includes(':'))
    return `  set ${name} { type ipv4_addr; flags interval; auto-merge; ${mine.length === 0 ? '' : `elements = { ${mine.join(', ')} }`} }`
  }
  return [
    set('pods', config.clusterCidrs),
    set('own-pods', config.podCidrs),
    set('service-ranges', config.serviceCidrs),
    set('own-services', config.ownIps),
    `  map affinity { type ipv4_addr . ipv4_addr . inet_proto . inet_service : mark; flags dynamic,timeout; size ${stickyClientsMax}; }`,
  ]
}

/** Filter hooks come after DNAT (output at -90: nat is at -100): what is still addressed to a Service has no endpoint. */
const fixedChains = `
  chain prerouting {
    type nat hook prerouting priority -100; policy accept;
    ip saddr @pods ${key} vmap @inside-services
    ${key} vmap @services
  }
  chain output {
    type nat hook output priority -100; policy accept;
    ${key} vmap @inside-services
    ${key} vmap @services
  }
  chain guard {
    type filter hook prerouting priority -110; policy accept;
    ${key} @guarded ${key} . ip saddr != @sources drop
  }
  chain check {
    ${key} vmap @refused
    ip daddr @service-ranges ip daddr != @own-services goto refuse
  }
  chain forward-check {
    type filter hook forward priority -10; policy accept;
    jump check
  }
  chain input-check {
    type filter hook input priority -10; policy accept;
    jump check
  }
  chain output-check {
    type filter hook output priority -90; policy accept;
    jump check
  }
  chain postrouting {
    type nat hook postrouting priority 100; policy accept;
    ip saddr . ip daddr @hairpin masquerade
    meta mark and ${masqueradeMark} == 0 return
    meta mark set 0
    ip saddr @pods return
    ip daddr @own-pods return
    masquerade fully-random
  }`.split('\n').slice(1)
