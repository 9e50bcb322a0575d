/**
 * Builds dist/kubun: the dashboard, the descriptions for `kubectl explain`, the
 * licences, then one executable that carries them. Run by `npm run build`.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { writeDescriptions } from '../../core/api/schema/generate/descriptions.ts'

const root = join(import.meta.dir, '..', '..')
const dist = join(root, 'dist')
const assets = join(dist, 'assets')

/** Packages that dockerode loads for ways of working that Kubun never uses: Docker over SSH, and BuildKit sessions. Half of the node's memory. */
const unused = /^(ssh2|@grpc\/grpc-js|@grpc\/proto-loader|protobufjs)$/

const withoutUnused: Bun.BunPlugin = {
  name: 'without unused packages',
  setup(build) {
    build.onResolve({ filter: unused }, (args) => ({ path: args.path, namespace: 'unused' }))
    build.onLoad({ filter: /.*/, namespace: 'unused' }, () => ({ contents: 'module.exports = {}', loader: 'js' }))
  },
}

rmSync(assets, { recursive: true, force: true })
mkdirSync(assets, { recursive: true })
writeFileSync(join(assets, 'licenses.txt.gz'), gzipSync(await licenses()))
await bundleDashboard()
explain()
writeAssetIndex()
await compile()

/** Kubun's own licence, then each package that the bundle reaches, with its licence text. */
async function licenses(): Promise<string> {
  const result = await Bun.build({ entrypoints: [join(root, 'cmd/main.ts')], target: 'bun', metafile: true, plugins: [withoutUnused], loader: { '.node': 'file' } } as Parameters<typeof Bun.build>[0])
  const inputs = Object.keys((result as unknown as { metafile?: { inputs: Record<string, unknown> } }).metafile?.inputs ?? {})
  const names = new Set(inputs.map((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]).filter((name) => name !== undefined))
  const texts = [...names].sort().map((name) => {
    const folder = join(root, 'node_modules', name)
    if (!existsSync(join(folder, 'package.json'))) return `${name}\n`
    const about = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string; license?: unknown }
    const file = readdirSync(folder).find((f) => /^licen[cs]e/i.test(f))
    return `${name} ${about.version} (${String(about.license)})\n${file === undefined ? '' : `\n${readFileSync(join(folder, file), 'utf8').trim()}\n`}`
  })
  return [`kubun (Apache-2.0)\n\n${readFileSync(join(root, 'LICENSE'), 'utf8').trim()}\n`, ...texts].join(`\n${'-'.repeat(80)}\n`)
}

async function bundleDashboard(): Promise<void> {
  const entry = join(root, 'web/main.tsx')
  if (!existsSync(entry)) return
  const result = await Bun.build({ entrypoints: [entry], target: 'browser', minify: true, outdir: join(assets, 'ui') })
  if (!result.success) throw new AggregateError(result.logs, 'the dashboard does not build')
  for (const file of ['index.html', 'style.css']) {
    if (existsSync(join(root, 'web', file))) writeFileSync(join(assets, 'ui', file), readFileSync(join(root, 'web', file)))
  }
}

function explain(): void {
  writeDescriptions(join(root, 'node_modules/@kubernetes/client-node'), join(assets, 'descriptions.json.gz'))
}

/** dist/assets.ts imports every asset as a file, so that the executable carries it. */
function writeAssetIndex(): void {
  const files = readdirSync(assets, { recursive: true, withFileTypes: true }).filter((f) => f.isFile()).map((f) => join(f.parentPath, f.name).slice(assets.length + 1)).sort()
  const lines = files.map((file, i) => `import a${i} from './assets/${file}' with { type: 'file' }`)
  const table = files.map((file, i) => `  ${JSON.stringify(file)}: a${i} as unknown as string,`)
  writeFileSync(join(dist, 'assets.ts'), `${lines.join('\n')}\n\nexport const files: Readonly<Record<string, string>> = {\n${table.join('\n')}\n}\n`)
}

async function compile(): Promise<void> {
  const workers = ['core/store/drivers/sqlite.worker.ts', 'core/client/yaml.worker.ts'].map((path) => join(root, path)).filter((path) => existsSync(path))
  const target = join(dist, 'kubun')
  const result = await Bun.build({
    entrypoints: [join(root, 'cmd/main.ts'), ...workers],
    target: 'bun',
    plugins: [withoutUnused],
    minify: { syntax: true, whitespace: true, identifiers: false },
    define: { KUBUN_BUILT: 'true' },
    compile: { outfile: target },
  })
  if (!result.success) throw new AggregateError(result.logs, 'the executable does not build')
}
