import { expect, it } from 'vitest'
import { resolveFlags, UsageError } from '../core/lib/config.ts'
import { commands } from './commands.ts'

function flagsOf(name: string, ...argv: readonly string[]): Readonly<Record<string, unknown>> {
  const found = commands.find((command) => command.name === name)
  if (found === undefined) throw new Error(`there is no command ${name}`)
  return resolveFlags(found.flags, { argv, env: {} }).flags
}

it.each([
  ['server', '--cluster-cidr=10.42.0.0', 'must be a range of addresses such as 10.42.0.0/16'],
  ['server', '--service-cidr=abc', 'must be a range of addresses'],
  ['server', '--cluster-dns=dns', 'must be an IP address'],
  ['server', '--cluster-domain=A b', 'must be a domain name such as cluster.local'],
  ['server', '--local-storage-path=storage', 'must be the absolute path of a folder'],
  ['agent', '--local-storage-path=//', 'must be the absolute path of a folder'],
  ['server', '--bind-address=foo', 'must be an IP address'],
  ['server', '--advertise-address=foo', 'must be an IP address'],
  ['server', '--https-port=70000', 'must be a port, 1 to 65535'],
  ['server', '--kubelet-port=abc', 'must be a port, 1 to 65535'],
  ['server', '--service-node-port-range=40000-30000', 'must be ports, from the lower to the higher'],
  ['server', '--service-node-port-range=30000-70000', 'must be ports, from the lower to the higher'],
  ['server', '--audit-log-maxsize=-1', 'must be 0 or more'],
  ['server', '--audit-webhook-batch-max-size=0', 'must be 1 or more'],
  ['server', '--audit-log-maxage=1.5', 'must be a whole number'],
  ['server', '--audit-log-maxage=week', 'must be a whole number'],
  ['server', '--shutdown-delay-duration=-5s', 'must be a duration such as 30s'],
  ['server', '--shutdown-delay-duration=5', 'must be a duration such as 30s'],
  ['server', '--node-monitor-grace=1s', 'must be a duration of 15s or more'],
  ['server', '--authorization-webhook-version=v7', 'must be v1 or v1beta1'],
  ['agent', '--node-label=a', 'must look like key=value'],
  ['agent', '--max-pods=0', 'must be 1 or more'],
  ['token', '--ttl=soon', 'must be a duration such as 30s'],
])('%s %s is refused with what it wants', (name, flag, sentence) => {
  const [key = ''] = flag.split('=')
  const given = name === 'agent' ? ['--server=https://first:6443', flag] : [flag]
  expect(() => flagsOf(name, ...given)).toThrow(UsageError)
  expect(() => flagsOf(name, ...given)).toThrow(`${key}: `)
  expect(() => flagsOf(name, ...given)).toThrow(sentence)
})

it('labels and taints of a node are lists', () => {
  const flags = flagsOf('agent', '--server=https://first:6443', '--node-label', 'a=b', '--node-label=c=d', '--node-taint=e=f:NoSchedule')
  expect(flags).toMatchObject({ 'node-label': ['a=b', 'c=d'], 'node-taint': ['e=f:NoSchedule'] })
})
