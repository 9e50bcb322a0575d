/** The stores there are, by the scheme of the address that names one. To add one: a file in drivers/, its test, a line here. */
import type { Store } from './store.ts'
import { openMemory } from './drivers/memory.ts'
import { openSqlite } from './drivers/sqlite.ts'

const drivers: Readonly<Record<string, (place: string) => Promise<Store>>> = {
  memory: async () => openMemory(),
  sqlite: openSqlite,
}

/** `sqlite:///var/lib/kubun/server/state.db`, or `memory://`. */
export async function openStore(address: string): Promise<Store> {
  const [scheme = '', place = ''] = address.split('://', 2)
  const open = drivers[scheme]
  if (open === undefined) throw new Error(`store ${address}: there is no driver ${JSON.stringify(scheme)}; there are ${Object.keys(drivers).join(', ')}`)
  return await open(place)
}
