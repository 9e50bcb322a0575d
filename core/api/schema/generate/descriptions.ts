/** Writes the asset of descriptions: gzipped JSON of descriptions.ts's Descriptions. Called by the build. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { collectDescriptions } from '../descriptions.ts'

/** `packageDir` is the folder of @kubernetes/client-node. */
export function writeDescriptions(packageDir: string, file: string): void {
  const dir = `${packageDir}/dist/gen/models`
  const descriptions = collectDescriptions((className) => {
    const path = `${dir}/${className}`
    if (!existsSync(`${path}.d.ts`)) return undefined
    return { declarations: readFileSync(`${path}.d.ts`, 'utf8'), code: readFileSync(`${path}.js`, 'utf8') }
  })
  writeFileSync(file, gzipSync(JSON.stringify(descriptions), { level: 9 }))
}
