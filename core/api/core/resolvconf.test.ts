/** Pods' resolv.conf under every policy. */
import { describe, expect, it } from 'vitest'
import type { Pod } from '../schema/types.ts'
import { formatResolvConf, parseResolvConf, podDns } from './resolvconf.ts'

const host = parseResolvConf('# a comment\nsearch old.example\nsearch corp.example. .\nnameserver 192.0.2.1\noptions ndots:1 edns0\noptions ndots:2\n')
const node = { clusterDns: ['10.43.0.10'], clusterDomain: 'cluster.local', host }
const pod = (spec: Partial<NonNullable<Pod['spec']>>): Pod => ({ metadata: { name: 'a', namespace: 'shop' }, spec: { containers: [], ...spec } })
const cluster = 'search shop.svc.cluster.local svc.cluster.local cluster.local corp.example\nnameserver 10.43.0.10\noptions ndots:5\n'
const own = 'search corp.example\nnameserver 192.0.2.1\noptions ndots:2 edns0\n'

describe('podDns()', () => {
  it.each([
    ['ClusterFirst', pod({ dnsPolicy: 'ClusterFirst' }), cluster],
    ['ClusterFirst on the host network', pod({ dnsPolicy: 'ClusterFirst', hostNetwork: true }), own],
    ['ClusterFirstWithHostNet', pod({ dnsPolicy: 'ClusterFirstWithHostNet', hostNetwork: true }), cluster],
    ['Default', pod({ dnsPolicy: 'Default' }), own],
    ['None with dnsConfig', pod({ dnsPolicy: 'None', dnsConfig: { nameservers: ['1.1.1.1'], searches: ['x.y'], options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }] } }), 'search x.y\nnameserver 1.1.1.1\noptions ndots:2 edns0\n'],
    ['dnsConfig on top', pod({ dnsPolicy: 'ClusterFirst', dnsConfig: { options: [{ name: 'ndots', value: '3' }] } }), cluster.replace('ndots:5', 'ndots:3')],
  ])('%s', (_, given, want) => expect(formatResolvConf(podDns(given, node).conf)).toBe(want))

  it('cuts what is beyond the limits and says so', () => {
    const dns = podDns(pod({ dnsPolicy: 'None', dnsConfig: { nameservers: ['1.0.0.1', '1.0.0.2', '1.0.0.3', '1.0.0.4'], searches: Array.from({ length: 40 }, (_, i) => `s${i}`) } }), node)
    expect(dns.conf.servers).toHaveLength(3)
    expect(dns.conf.searches).toHaveLength(32)
    expect(dns.warnings[0]).toBe('Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: 1.0.0.1 1.0.0.2 1.0.0.3')
    expect(dns.warnings).toHaveLength(2)
  })

  it('falls back to the host when no cluster DNS is known', () => {
    const dns = podDns(pod({}), { ...node, clusterDns: [] })
    expect(formatResolvConf(dns.conf)).toBe(own)
    expect(dns.missingClusterDns).toContain('Falling back to "Default" policy.')
  })
})
