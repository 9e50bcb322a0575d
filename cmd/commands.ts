/** Every command, in the order in which --help shows them. To add one: a file in commands/, a line here. */
import type { Command } from './command.ts'
import { agentCommand } from './commands/agent.ts'
import { dashboardCommand } from './commands/dashboard.ts'
import { licensesCommand } from './commands/licenses.ts'
import { planCommand } from './commands/plan.ts'
import { secretsCommand } from './commands/secrets.ts'
import { serverCommand } from './commands/server.ts'
import { tokenCommand } from './commands/token.ts'
import { uninstallCommand } from './commands/uninstall.ts'
import { versionCommand } from './commands/version.ts'
import { whyCommand } from './commands/why.ts'

export const commands: readonly Command[] = [
  serverCommand,
  agentCommand,
  tokenCommand,
  secretsCommand,
  dashboardCommand,
  planCommand,
  whyCommand,
  uninstallCommand,
  versionCommand,
  licensesCommand,
]
