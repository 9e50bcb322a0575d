/** How violations are put into words, as upstream does. */
import type { Container } from '../../api/schema/types.ts'
import type { Subject } from './standard.ts'

export function quoted(items: readonly string[]): string {
  return items.map((i) => `"${i}"`).join(', ')
}

export function plural(singular: string, count: number): string {
  return count === 1 ? singular : `${singular}s`
}

/** Each value once, sorted. */
export function sorted(values: readonly string[]): readonly string[] {
  return [...new Set(values)].toSorted()
}

/** `container "a"`, `containers "a", "b"`. */
export function containersText(names: readonly string[]): string {
  return `${plural('container', names.length)} ${quoted(names)}`
}

/** Names of the containers for which `bad` holds. */
export function containersWith(pod: Subject, bad: (container: Readonly<Container>) => boolean): readonly string[] {
  return pod.containers.filter(bad).map((c) => c.name)
}

/** `pod and containers "a", "b"`; '' when nobody set anything bad. */
export function settersText(podIsBad: boolean, bad: readonly string[]): string {
  return [...(podIsBad ? ['pod'] : []), ...(bad.length > 0 ? [containersText(bad)] : [])].join(' and ')
}

export function isWindows(pod: Subject): boolean {
  return pod.spec.os?.name === 'windows'
}

export function hasUserNamespace(pod: Subject): boolean {
  return pod.spec.hostUsers === false
}
