/** DNS plugin: names of the cluster, from zone.ts. Names of elsewhere go on; an ExternalName's target is asked for as well. */
import type { Random } from '../../../core/lib/random.ts'
import { refusal, type DnsPlugin, type Reply } from '../plugin.ts'
import { rcodes, shapeOf, types, u16, type Answer, type Query, type Rec } from '../wire.ts'
import { lookup, soa, type ZoneAnswer, type ZoneConfig, type ZoneWorld } from '../zone.ts'
import { aliasQuery, recordsOf } from '../alias.ts'

/** ExternalNames that lead to one another inside the cluster are followed so far. */
const aliasesMax = 8

export function kubernetes(world: ZoneWorld, zone: ZoneConfig, random: Random): DnsPlugin {
  return (next) => (ctx, query) => {
    const first = lookup(world, zone, query.name, query.type)
    if (first.kind === 'elsewhere') return next(ctx, query)
    if (first.kind !== 'found' && !world.complete()) return refusal(rcodes.servFail)
    const inside = follow(world, zone, query, first)
    const answer = answerOf(zone, inside, random)
    if (inside.open === undefined) return { answer, stable: inside.records.length < 2 }
    const aliased = aliasQuery(query, inside.open)
    const merge = (reply: Reply): Reply => ({ answer: withRecords(answer, reply) })
    const outside = next(ctx, aliased)
    return outside instanceof Promise ? outside.then(merge) : merge(outside)
  }
}

interface Followed {
  readonly kind: ZoneAnswer['kind']
  readonly records: readonly Rec[]
  readonly additionals: readonly Rec[]
  /** A target outside the cluster that is still to be asked for. */
  readonly open: string | undefined
}

function follow(world: ZoneWorld, zone: ZoneConfig, query: Query, first: ZoneAnswer): Followed {
  const records: Rec[] = []
  let at = first
  for (let i = 0; i < aliasesMax; i++) {
    if (at.kind !== 'found') return { kind: records.length > 0 && at.kind === 'nodata' ? 'found' : at.kind, records, additionals: [], open: undefined }
    records.push(...at.records)
    if (at.alias === undefined) return { kind: 'found', records, additionals: at.additionals, open: undefined }
    const { alias } = at
    at = lookup(world, zone, alias, query.type)
    if (at.kind === 'elsewhere') return { kind: 'found', records, additionals: [], open: alias }
  }
  return { kind: 'found', records, additionals: [], open: undefined }
}

function answerOf(zone: ZoneConfig, inside: Followed, random: Random): Answer {
  const missing = inside.records.length === 0
  return {
    rcode: inside.kind === 'nxdomain' ? rcodes.nxDomain : rcodes.ok,
    authoritative: true,
    answers: inside.records.length > 1 ? turned(inside.records, random) : inside.records,
    authorities: missing ? [soa(zone)] : [],
    additionals: inside.additionals,
  }
}

/** Another address first each time: clients take the first. An alias stays in front of what it leads to. */
function turned(records: readonly Rec[], random: Random): readonly Rec[] {
  const aliases = records.filter((record) => record.type === 'CNAME')
  const rest = records.filter((record) => record.type !== 'CNAME')
  const by = random.int(Math.max(1, rest.length))
  return [...aliases, ...rest.slice(by), ...rest.slice(0, by)]
}

/** The alias stands even when its target cannot be found: the client sees why. */
function withRecords(answer: Answer, reply: Reply): Answer {
  if ('answer' in reply) return { ...answer, rcode: reply.answer.rcode, authoritative: false, answers: [...answer.answers, ...reply.answer.answers] }
  const shape = shapeOf(reply.packet)
  if (shape === undefined || u16(reply.packet, 4) !== 1) return { ...answer, rcode: rcodes.servFail }
  return { ...answer, rcode: shape.rcode, authoritative: false, answers: [...answer.answers, ...recordsOf(reply.packet).filter((r) => types[r.type] !== types.SOA)] }
}
