/** kubun licenses: the licences of Kubun and of every package inside the executable; the list is made at build time. */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import * as z from 'zod'
import { asset } from '../assets.ts'
import { command, CommandError } from '../command.ts'

export const licensesCommand = command({
  name: 'licenses',
  summary: 'print the licences of Kubun and of the packages inside it',
  flags: z.object({}),
  async run(_ctx, terminal) {
    const path = asset('licenses.txt.gz')
    if (path === undefined) throw new CommandError('this is not a built executable: npm run build makes one that carries its licences')
    terminal.print(gunzipSync(readFileSync(path)).toString('utf8'))
    return 0
  },
})
