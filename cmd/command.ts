/** What a command is: a name, its flags, and a run that answers with the exit code. commands.ts lists them; main.ts calls them. */
import type { FlagSchema } from '../core/lib/config.ts'
import type { Ctx } from '../core/lib/ctx.ts'
import type * as z from 'zod'

export interface Terminal {
  /** A line to standard output. */
  print(line: string): void
  /** A line to standard error. */
  complain(line: string): void
}

export interface Command<S extends FlagSchema = FlagSchema> {
  readonly name: string
  /** One line for the list of commands. */
  readonly summary: string
  /** Words after the name, e.g. `create|list|delete [ID]`; undefined: it takes none. */
  readonly usage?: string
  readonly flags: S
  /** Single letters for flags: `-n NS` for `--namespace NS`. */
  readonly letters?: Readonly<Record<string, string>>
  /** Commands of the executable's own (children): not in the list. */
  readonly hidden?: boolean
  readonly run: (ctx: Ctx, terminal: Terminal, flags: Readonly<z.output<S>>, words: readonly string[]) => Promise<number>
}

export function command<S extends FlagSchema>(init: Command<S>): Command {
  return init as unknown as Command
}

/** Ends a command with one sentence that names cause and remedy, and exit code 1. */
export class CommandError extends Error {}
