/** kubun version: what this executable is. */
import * as z from 'zod'
import { command } from '../command.ts'
import { version } from '../version.ts'

export const versionCommand = command({
  name: 'version',
  summary: 'print the version',
  flags: z.object({}),
  async run(_ctx, terminal) {
    terminal.print(`kubun ${version} (bun ${Bun.version}, ${process.platform}/${process.arch})`)
    return 0
  },
})
