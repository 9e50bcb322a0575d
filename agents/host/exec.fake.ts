/** Exec for tests: answers from a function and remembers what was run. */
import { ExecError, type Exec, type RunOptions, type RunResult } from './exec.ts'

export interface FakeRun {
  readonly command: string
  readonly args: readonly string[]
  readonly input: RunOptions['input']
}

export interface FakeExec extends Exec {
  readonly runs: FakeRun[]
}

/** `answer` gives standard output, or a result with an exit code; undefined is success without a word. */
export function fakeExec(answer: (run: FakeRun) => string | Partial<RunResult> | undefined = () => undefined): FakeExec {
  const runs: FakeRun[] = []
  return {
    runs,
    run(_ctx, command: string, args: readonly string[], options: RunOptions = {}) {
      const run = { command, args, input: options.input }
      runs.push(run)
      const said = answer(run)
      const result = { code: 0, stdout: '', stderr: '', ...(typeof said === 'string' ? { stdout: said } : said) }
      const ok = result.code === 0 || options.okCodes?.includes(result.code) === true
      return ok ? Promise.resolve(result) : Promise.reject(new ExecError([command, ...args].join(' '), result.code, result.stderr))
    },
  }
}
