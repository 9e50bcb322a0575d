/**
 * nftables through the nft program: one text, one transaction. What the rules
 * say is the business of proxy and network; this knows only how they reach the
 * kernel. Text goes in on standard input, JSON (-j) only ever comes out.
 */
import type { Ctx } from '../../core/lib/ctx.ts'
import { ExecError, type Exec } from './exec.ts'
import { inNamespace } from './link.ts'

export interface Nft {
  /** All of it or nothing. */
  load(ctx: Ctx, ruleset: string): Promise<void>
  /** Whether the table is there; cheap, whatever it holds. */
  has(ctx: Ctx, table: string): Promise<boolean>
  /** The table as nft prints it; undefined when there is none. Slow for large tables. */
  list(ctx: Ctx, table: string): Promise<string | undefined>
  /** Deletes the table with everything in it; quiet when there is none. */
  remove(ctx: Ctx, table: string): Promise<void>
}

/** `netns`: path of a network namespace that is not the process's own. */
export function createNft(exec: Exec, netns?: string): Nft {
  const nft = inNamespace(exec, netns)
  const load = async (ctx: Ctx, ruleset: string): Promise<void> => void (await nft.run(ctx, 'nft', ['-f', '-'], { input: ruleset }))
  return {
    load,
    has: async (ctx, table) => (await nft.run(ctx, 'nft', ['list', 'tables'])).stdout.split('\n').includes(`table ${table}`),
    async list(ctx, table) {
      try {
        return (await nft.run(ctx, 'nft', ['list', 'table', ...table.split(' ')])).stdout
      } catch (error) {
        if (error instanceof ExecError && error.stderr.includes('No such file')) return undefined
        throw error
      }
    },
    // Adding first makes the deletion of a table that is not there no error.
    remove: (ctx, table) => load(ctx, `add table ${table}\ndelete table ${table}\n`),
  }
}
