import { describe, expect, it } from 'vitest'
import { compareQuantities, quantityMilli, quantityValue } from '../quantity.ts'
import type { Pod } from '../schema/types.ts'
import { podAmounts, qosClass } from './podresources.ts'
import { tolerates, untolerated } from './taints.ts'

const pod = (containers: (string | undefined)[][], inits: [string, boolean][] = []): Pod => ({
  metadata: { name: 'p' },
  spec: {
    containers: containers.map(([request, limit], i) => ({
      name: `c${i}`,
      resources: { ...(request === undefined ? {} : { requests: { cpu: request, memory: request } }), ...(limit === undefined ? {} : { limits: { cpu: limit, memory: limit } }) },
    })),
    initContainers: inits.map(([request, sidecar], i) => ({ name: `i${i}`, resources: { requests: { cpu: request } }, ...(sidecar ? { restartPolicy: 'Always' } : {}) })),
  },
})

describe('quantities as numbers', () => {
  it.each([['250m', 250], ['2', 2_000], ['0.1', 100], ['1Ki', 1_024_000], ['1e3', 1_000_000], ['1n', 1], ['1.5Gi', 1_610_612_736_000]])('%s is %i thousandths', (text, milli) =>
    expect(quantityMilli(text)).toBe(milli),
  )
  it('rounds up to whole units and compares across suffixes', () => {
    expect(quantityValue('100m')).toBe(1)
    expect(compareQuantities('1Gi', '1G')).toBeGreaterThan(0)
    expect(quantityMilli('x')).toBeNaN()
  })
})

describe('podAmounts()', () => {
  it('a pod that names no containers, and is refused later, asks for nothing', () => {
    expect(podAmounts({ metadata: { name: 'p' }, spec: {} } as Pod, 'requests')).toEqual({})
  })

  it.each([
    ['adds containers', pod([['100m'], ['200m']]), 300],
    ['takes the largest init container', pod([['100m']], [['500m', false], ['300m', false]]), 500],
    ['adds sidecars to what runs with them', pod([['100m']], [['50m', true], ['200m', false]]), 250],
  ])('%s', (_, object, cpu) => expect(podAmounts(object, 'requests')['cpu']).toBe(cpu))
})

describe('qosClass()', () => {
  it.each([
    ['BestEffort', pod([[]])],
    ['Burstable', pod([['100m']])],
    ['Burstable', pod([['100m', '100m'], []])],
    ['Guaranteed', pod([['100m', '100m'], [undefined, '1']])],
  ])('is %s', (want, object) => expect(qosClass(object)).toBe(want))
})

describe('taints', () => {
  const taint = { key: 'gpu', value: 'a', effect: 'NoSchedule' }
  it.each([
    [{ key: 'gpu', value: 'a' }, true],
    [{ key: 'gpu', operator: 'Exists' }, true],
    [{ operator: 'Exists' }, true],
    [{ key: 'gpu', value: 'b' }, false],
    [{ key: 'gpu', operator: 'Exists', effect: 'NoExecute' }, false],
  ])('%o', (toleration, want) => expect(tolerates(toleration, taint)).toBe(want))
  it('untolerated() looks only at the asked effects', () => {
    expect(untolerated([taint], [], ['NoExecute'])).toBeUndefined()
    expect(untolerated([taint], [], ['NoSchedule'])).toBe(taint)
  })
})
