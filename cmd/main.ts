/**
 * The executable's entry: argv -> command -> exit code. The only reader of argv
 * and environment, the only caller of exit. Commands are in commands.ts.
 */
import 'reflect-metadata' // before anything that loads certificates: bundled modules start lazily, and its order is lost there
import { existsSync, readFileSync } from 'node:fs'
import { systemClock } from '../core/lib/clock.ts'
import { describeFlags, resolveFlags, UsageError } from '../core/lib/config.ts'
import { consoleLog, errorPath, type Level } from '../core/lib/log.ts'
import { ApiError } from '../core/api/errors.ts'
import { CommandError, type Command, type Terminal } from './command.ts'
import { commands } from './commands.ts'
import { version } from './version.ts'
import { visible } from './visible.ts'

const configPath = '/etc/kubun/config.yaml'

const terminal: Terminal = {
  print: (line) => void process.stdout.write(`${visible(line)}\n`),
  complain: (line) => void process.stderr.write(`${visible(line)}\n`),
}

async function main(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    terminal.print(usage())
    return name === undefined ? 2 : 0
  }
  if (name === '--version') {
    terminal.print(version)
    return 0
  }
  const found = commands.find((c) => c.name === name)
  if (found === undefined) throw new UsageError(`unknown command ${JSON.stringify(name)}; kubun --help lists the commands`)
  if (rest.includes('--help') || rest.includes('-h')) {
    terminal.print(usageOf(found))
    return 0
  }
  return await runCommand(found, rest)
}

async function runCommand(found: Command, argv: readonly string[]): Promise<number> {
  const path = process.env['KUBUN_CONFIG'] ?? configPath
  const file = existsSync(path) ? { path, text: readFileSync(path, 'utf8') } : undefined
  const { flags, words } = resolveFlags(found.flags, {
    argv: argv.map((word) => spelledOut(found, word)),
    env: process.env,
    ...(file === undefined ? {} : { file }),
    foreignKeys: commands.flatMap((c) => Object.keys(c.flags.shape)),
  })
  if (found.usage === undefined && words[0] !== undefined) throw new UsageError(`kubun ${found.name} takes no words, but ${JSON.stringify(words[0])} was given; --help lists the flags`)
  const controller = new AbortController()
  const stop = (signal: string): void => {
    if (controller.signal.aborted) process.exit(130) // a second signal: no patience left
    controller.abort(new Error(`stopped by ${signal}`))
  }
  process.on('SIGINT', () => stop('SIGINT'))
  process.on('SIGTERM', () => stop('SIGTERM'))
  const level = (process.env['KUBUN_LOG'] ?? 'info') as Level
  const log = consoleLog(level)
  // One promise that nobody waited for must not end a control plane or a node.
  process.on('unhandledRejection', (error) => log.error('something failed that nobody waited for', { error: errorPath(error) }))
  const ctx = { signal: controller.signal, clock: systemClock, log }
  return await found.run(ctx, terminal, flags, words)
}

/** `-n` as `--namespace`, `-ojson` as `--output=json`. */
function spelledOut({ letters = {} }: Command, word: string): string {
  const [, letter = '', value = ''] = /^-([a-zA-Z])=?(.*)$/s.exec(word) ?? []
  const flag = letters[letter]
  return flag === undefined ? word : `--${flag}${value === '' ? '' : `=${value}`}`
}

function usage(): string {
  const shown = commands.filter((c) => c.hidden !== true)
  const width = Math.max(...shown.map((c) => c.name.length))
  return [
    `kubun ${version}: Kubernetes in one executable`,
    '',
    'Usage: kubun COMMAND [flags]',
    '',
    ...shown.map((c) => `  ${c.name.padEnd(width)}  ${c.summary}`),
    '',
    'kubun COMMAND --help shows the flags of a command. A flag can also be given in the environment (--data-dir as',
    `KUBUN_DATA_DIR) or in ${configPath} (data-dir: ...). A flag beats the environment, which beats the file.`,
  ].join('\n')
}

function usageOf(c: Command): string {
  const flags = describeFlags(c.flags)
  const letters = Object.entries(c.letters ?? {}).map(([letter, flag]) => `-${letter} is --${flag}`)
  return [`Usage: kubun ${c.name}${c.usage === undefined ? '' : ` ${c.usage}`} [flags]`, '', c.summary, ...(flags === '' ? [] : ['', flags]), ...(letters.length === 0 ? [] : ['', letters.join(', ')])].join('\n')
}

function sentenceOf(error: unknown): string {
  if (error instanceof CommandError || error instanceof UsageError || error instanceof ApiError) return error.message
  return errorPath(error)
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    terminal.complain(`kubun: ${sentenceOf(error)}`)
    if (process.env['KUBUN_LOG'] === 'debug' && error instanceof Error) terminal.complain(error.stack ?? '')
    process.exit(error instanceof UsageError ? 2 : 1)
  },
)
