/** The odd packets: a question for the target of an alias, and the records of its answer. Only here are other servers' records decoded. */
import { decode, encode, RECURSION_DESIRED } from 'dns-packet'
import { parseQuery, type Query, type Rec } from './wire.ts'

const typeNames: Readonly<Record<number, 'A' | 'AAAA' | 'CNAME' | 'NS' | 'PTR' | 'TXT' | 'SRV' | 'SOA'>> = { 1: 'A', 2: 'NS', 5: 'CNAME', 6: 'SOA', 12: 'PTR', 16: 'TXT', 28: 'AAAA', 33: 'SRV' }

/** The same question for another name. */
export function aliasQuery(query: Query, name: string): Query {
  const type = typeNames[query.type] ?? 'A'
  const packet = encode({ type: 'query', id: query.id, flags: RECURSION_DESIRED, questions: [{ type, name }] })
  const parsed = parseQuery(packet, 'tcp') // the answer is merged into ours, which alone has a limit
  if (parsed === undefined || 'error' in parsed) throw new Error(`ask for ${name}`)
  return parsed.query
}

export function recordsOf(packet: Uint8Array): Rec[] {
  try {
    return (decode(Buffer.from(packet)).answers ?? []).flatMap((record): Rec[] => {
      const { name, type } = record
      const ttl = 'ttl' in record ? (record.ttl ?? 0) : 0
      if (type === 'A' || type === 'AAAA' || type === 'CNAME' || type === 'NS' || type === 'PTR') return [{ name, ttl, type, data: record.data }]
      if (type === 'TXT') return [{ name, ttl, type, data: [record.data].flat().map(String).join('') }]
      if (type === 'SRV') return [{ name, ttl, type, data: { ...record.data, priority: record.data.priority ?? 0, weight: record.data.weight ?? 0 } }]
      return []
    })
  } catch {
    return [] // not a message at all
  }
}
