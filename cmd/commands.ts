/** Every command, in the order in which --help shows them. To add one: a file in commands/, a line here. */
import type { Command } from './command.ts'
import { dashboardCommand } from './commands/dashboard.ts'
import { licensesCommand } from './commands/licenses.ts'
import { versionCommand } from './commands/version.ts'

export const commands: readonly Command[] = [dashboardCommand, versionCommand, licensesCommand]
