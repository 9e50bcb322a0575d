/** How a container ended, in words: exit code, signal, out of memory. Pure. */
import type { Container, ContainerStateTerminated } from '../api/schema/types.ts'

const signals: Readonly<Record<number, string>> = { 1: 'SIGHUP', 2: 'SIGINT', 3: 'SIGQUIT', 4: 'SIGILL', 6: 'SIGABRT', 7: 'SIGBUS', 8: 'SIGFPE', 9: 'SIGKILL', 11: 'SIGSEGV', 13: 'SIGPIPE', 15: 'SIGTERM' }

/** `is killed for using more than its memory limit of 64Mi`, `exits with code 1 (Error)`. */
export function endText({ exitCode, reason = '', signal = 0, message = '' }: Readonly<ContainerStateTerminated>, container: Readonly<Container> | undefined): string {
  const limit = container?.resources?.limits?.['memory']
  if (reason === 'OOMKilled') return `is killed for using more memory than ${limit === undefined ? 'its node has' : `its limit of ${limit}`} (OOMKilled, exit code ${exitCode})`
  if (reason === 'ContainerCannotRun' || reason === 'StartError') return `cannot be started: ${message === '' ? reason : oneLine(message)}`
  const by = signals[signal === 0 && exitCode > 128 ? exitCode - 128 : signal]
  const why = reason === '' || reason === 'Error' || reason === 'Completed' ? '' : `, ${reason}`
  const hint = exitCode === 127 ? ': command not found' : exitCode === 126 ? ': command cannot be executed' : ''
  return by === undefined ? `exits with code ${exitCode}${why}${hint}` : `is ended by ${by} (exit code ${exitCode}${why})`
}

export function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim().slice(0, 300)
}
