/** The texts of the files that a command is given: files, folders, and `-` for standard input, as kubectl reads them. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { extname, join } from 'node:path'
import type { Source } from '../core/plan/documents.ts'
import { CommandError } from './command.ts'

const extensions: ReadonlySet<string> = new Set(['.json', '.yaml', '.yml'])

export async function readSources(names: readonly string[], { recursive, stdin }: { readonly recursive: boolean; readonly stdin: () => Promise<string> }): Promise<readonly Source[]> {
  const sources: Source[] = []
  for (const name of names) {
    if (name === '-') sources.push({ name: 'standard input', text: await stdin() })
    else if (/^https?:\/\//.test(name)) throw new CommandError(`${name} is not fetched: nothing outside is asked for a plan; download it and name the file`)
    else for (const path of pathsOf(name, recursive)) sources.push({ name: path, text: read(path, () => readFileSync(path, 'utf8')) })
  }
  return sources
}

/** Of a folder those that can hold objects, by name; a file that is named is read whatever it is called. */
function pathsOf(name: string, recursive: boolean): readonly string[] {
  if (!read(name, () => statSync(name)).isDirectory()) return [name]
  const within = (folder: string): readonly string[] =>
    readdirSync(folder, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1)).flatMap((entry) => {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) return recursive ? within(path) : []
      return extensions.has(extname(entry.name)) && holdsText(path) ? [path] : []
    })
  const found = read(name, () => within(name))
  if (found.length === 0) throw new CommandError(`there is no .json, .yaml or .yml file in ${name}${recursive ? '' : ' (-R looks into its folders, too)'}`)
  return found
}

/** Pipes and devices may never come to an end; links to files are files. */
const holdsText = (path: string): boolean => read(path, () => statSync(path)).isFile()

function read<T>(path: string, how: () => T): T {
  try {
    return how()
  } catch (error) {
    if (error instanceof CommandError) throw error
    const code = (error as { readonly code?: string }).code
    throw new CommandError(code === 'ENOENT' ? `there is no file ${path}` : `cannot read ${path}: ${code ?? (error as Error).message}`)
  }
}
