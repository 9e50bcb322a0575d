/**
 * Generates types.ts, table.json and resources.json from upstream's Go modules.
 *
 * Run by a developer, when the API level changes: `bun core/api/schema/generate.ts <folder of a go.mod>`, where that
 * go.mod requires k8s.io/kubernetes. Only facts are written: names, types, keys, defaults, numbers; no sentences.
 */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { readSwagger } from './generate/swagger.ts'
import { renderTypes } from './generate/types.ts'

const modules = process.argv[2] ?? '.'

function moduleDir(name: string): string {
  return execFileSync('go', ['list', '-m', '-f', '{{.Dir}}', name], { cwd: modules, encoding: 'utf8' }).trim()
}

const swagger = readSwagger(moduleDir('k8s.io/kubernetes'))
writeFileSync(new URL('types.ts', import.meta.url), renderTypes(swagger))
