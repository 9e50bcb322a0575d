/** Rules of NetworkPolicies (k8s.io/kubernetes/pkg/apis/networking/validation/validation.go). */
import { cidrWarnings, labelSelector, legacyCidr, looseCidr, say, type Errors } from '../checks.ts'
import { contains } from '../../lib/ip.ts'
import { forbiddenField, invalidValue, notSupported, path, required, type Path } from '../field.ts'
import type { Strategy } from '../kind.ts'
import { portName, portNumber } from '../names.ts'
import type { IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from '../schema/types.ts'

const at = path('spec')
const protocols = ['TCP', 'UDP', 'SCTP']

interface Side {
  readonly ports: readonly Readonly<NetworkPolicyPort>[]
  readonly peers: readonly Readonly<NetworkPolicyPeer>[]
  readonly at: Path
  readonly peersAt: Path
}

function sides(policy: Readonly<NetworkPolicy>): Side[] {
  const [ingress, egress] = [policy.spec?.ingress ?? [], policy.spec?.egress ?? []]
  const side = (here: Path, ports: readonly NetworkPolicyPort[] | undefined, peers: readonly NetworkPolicyPeer[] | undefined, name: string): Side =>
    ({ ports: ports ?? [], peers: peers ?? [], at: here, peersAt: here.child(name) })
  return [
    ...ingress.map((rule, i) => side(at.child('ingress').index(i), rule.ports, rule.from, 'from')),
    ...egress.map((rule, i) => side(at.child('egress').index(i), rule.ports, rule.to, 'to')),
  ]
}

function validate(policy: Readonly<NetworkPolicy>, prev?: Readonly<NetworkPolicy>): Errors {
  const errors: Errors = []
  const existing = prev === undefined ? [] : sides(prev).flatMap((side) => side.peers.flatMap(({ ipBlock }) => (ipBlock === undefined ? [] : [ipBlock.cidr, ...(ipBlock.except ?? [])])))
  labelSelector(errors, policy.spec?.podSelector, at.child('podSelector'))
  for (const side of sides(policy)) {
    side.ports.forEach((one, i) => port(errors, one, side.at.child('ports').index(i)))
    side.peers.forEach((one, i) => peer(errors, one, side.peersAt.index(i), existing))
  }
  const types = policy.spec?.policyTypes ?? []
  if (types.length > 2) errors.push(invalidValue(at.child('policyTypes'), types, 'may not specify more than two policyTypes'))
  else types.forEach((type, i) => {
    if (type !== 'Ingress' && type !== 'Egress') errors.push(notSupported(at.child('policyTypes').index(i), type, ['Ingress', 'Egress']))
  })
  return errors
}

function port(errors: Errors, of: Readonly<NetworkPolicyPort>, at: Path): void {
  const { protocol, port: number, endPort: end } = of
  const here = at.child('endPort')
  if (protocol !== undefined && !protocols.includes(protocol)) errors.push(notSupported(at.child('protocol'), protocol, protocols))
  if (number === undefined) {
    if (end !== undefined) errors.push(invalidValue(here, end, 'may not be specified when `port` is not specified'))
  } else if (typeof number === 'string') {
    if (end !== undefined) errors.push(invalidValue(here, end, 'may not be specified when `port` is non-numeric'))
    say(errors, at.child('port'), number, portName(number))
  } else {
    say(errors, at.child('port'), number, portNumber(number))
    if (end === undefined) return
    if (end < number) errors.push(invalidValue(here, number, 'must be greater than or equal to `port`'))
    say(errors, here, end, portNumber(end))
  }
}

function peer(errors: Errors, of: Readonly<NetworkPolicyPeer>, at: Path, existing: readonly string[]): void {
  labelSelector(errors, of.podSelector, at.child('podSelector'))
  labelSelector(errors, of.namespaceSelector, at.child('namespaceSelector'))
  if (of.ipBlock !== undefined) block(errors, of.ipBlock, at.child('ipBlock'), existing)
  const others = of.podSelector !== undefined || of.namespaceSelector !== undefined
  if (!others && of.ipBlock === undefined) errors.push(required(at, 'must specify a peer'))
  else if (others && of.ipBlock !== undefined) errors.push(forbiddenField(at, 'may not specify both ipBlock and another peer'))
}

function block(errors: Errors, of: Readonly<IPBlock>, at: Path, existing: readonly string[]): void {
  if (of.cidr === '') {
    errors.push(required(at.child('cidr')))
    return
  }
  legacyCidr(errors, of.cidr, at.child('cidr'), existing)
  const outer = looseCidr(of.cidr)
  if (outer === undefined) return
  of.except?.forEach((text, i) => {
    const here = at.child('except').index(i)
    legacyCidr(errors, text, here, existing)
    const inner = looseCidr(text)
    if (inner !== undefined && (!contains(outer, { family: inner.family, value: inner.base }) || outer.bits >= inner.bits)) {
      errors.push(invalidValue(here, text, 'must be a strict subset of `cidr`'))
    }
  })
}

export const networkPolicyStrategy: Strategy<NetworkPolicy> = {
  validateCreate: (policy) => validate(policy),
  validateUpdate: (next, prev) => validate(next, prev),
  warnings: (next) =>
    sides(next).flatMap((side) => side.peers.flatMap(({ ipBlock }, i) => {
      if (ipBlock === undefined) return []
      const here = side.peersAt.index(i).child('ipBlock')
      return [...cidrWarnings(here.child('cidr'), ipBlock.cidr), ...(ipBlock.except ?? []).flatMap((text, j) => cidrWarnings(here.child('except').index(j), text))]
    })),
}
