import { expect, it } from 'vitest'
import { path } from '../../field.ts'
import type { ContainerPort } from '../../schema/types.ts'
import { podWarnings } from './warnings.ts'

function warningsOf(ports: readonly ContainerPort[]): readonly string[] {
  return podWarnings({ containers: [{ name: 'c', image: 'i', ports: [...ports] }] }, { name: 'p' }, path())
}

it('tells which ports are there twice, and in which way', () => {
  const tcp = { protocol: 'TCP', containerPort: 80 }
  expect(warningsOf([{ ...tcp, name: 'a' }, { ...tcp, name: 'a' }, { ...tcp, protocol: 'UDP', name: 'b' }, { ...tcp, hostPort: 1 }, { ...tcp, hostPort: 1, hostIP: '10.0.0.1' }])).toEqual([
    'spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]',
    'spec.containers[0].ports[3]: overlapping port definition with spec.containers[0].ports[0]',
    'spec.containers[0].ports[3]: overlapping port definition with spec.containers[0].ports[1]',
    'spec.containers[0].ports[4]: overlapping port definition with spec.containers[0].ports[0]',
    'spec.containers[0].ports[4]: overlapping port definition with spec.containers[0].ports[1]',
    'spec.containers[0].ports[4]: dangerously ambiguous port definition with spec.containers[0].ports[3]',
    'spec.containers[0].ports[1]: duplicate port name "a" with spec.containers[0].ports[0], services and probes that select ports by name will use spec.containers[0].ports[0]',
  ])
})

it('comes to an end with any number of ports', () => {
  const started = performance.now()
  expect(warningsOf(Array.from({ length: 60_000 }, (_, i) => ({ protocol: 'TCP', containerPort: i + 1, hostPort: i + 1 })))).toEqual([])
  expect(warningsOf(Array.from({ length: 60_000 }, () => ({ protocol: 'TCP', containerPort: 1 }))).length).toBe(256)
  expect(performance.now() - started).toBeLessThan(5_000)
})
