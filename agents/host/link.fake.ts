/** Link for tests: remembers the lines, answers `show` and `fdb` from functions. */
import type { Link, LinkOptions } from './link.ts'

export interface FakeLink extends Link {
  /** Every line in order, with the namespace it ran in when it was another: `ip@/proc/7/ns/net link set lo up`. */
  readonly lines: string[]
  readonly sysctls: Record<string, string>
}

type Rows = readonly Readonly<Record<string, unknown>>[]

export function fakeLink(answers: { readonly show?: (args: readonly string[]) => Rows; readonly fdb?: (device: string) => Rows; readonly fail?: (line: string) => boolean } = {}): FakeLink {
  const lines: string[] = []
  const sysctls: Record<string, string> = {}
  const take = (tool: string, added: readonly string[], options: LinkOptions = {}): Promise<void> => {
    const where = options.netns === undefined ? tool : `${tool}@${options.netns}`
    for (const line of added) {
      lines.push(`${where} ${line}`)
      if (options.force !== true && answers.fail?.(line) === true) return Promise.reject(new Error(`${tool}: ${line}`))
    }
    return Promise.resolve()
  }
  return {
    lines,
    sysctls,
    ip: (_ctx, added, options) => take('ip', added, options),
    bridge: (_ctx, added, options) => take('bridge', added, options),
    show: (_ctx, args) => Promise.resolve(answers.show?.(args) ?? []),
    fdb: (_ctx, device) => Promise.resolve(answers.fdb?.(device) ?? []),
    sysctl(_ctx, values) {
      Object.assign(sysctls, values)
      return Promise.resolve()
    },
  }
}
