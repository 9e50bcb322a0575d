import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { chooseKubeconfig, namespaceOf } from './kubeconfig.ts'

const own = '/etc/kubun/kubun.yaml'

it.each<[string, Partial<Parameters<typeof chooseKubeconfig>[0]>, readonly string[], string]>([
  ['the flag, whatever is there', { named: '/x', environment: '/a' }, ['/a'], '/x'],
  ["the environment's", { environment: '/a' }, ['/a', own], '/a'],
  ['the first of several that can be read', { environment: '/none:/b:/c' }, ['/b', '/c'], '/b'],
  ['the first of several, where none can: it is named in the error', { environment: '/none:/b' }, [own], '/none'],
  ["the server's own", { environment: '' }, [own, '/home/u/.kube/config'], own],
  ["the user's", {}, ['/home/u/.kube/config'], '/home/u/.kube/config'],
  ["the server's own, where there is none: it is named in the error", {}, [], own],
])('a command uses %s', (_, places, readable, want) => {
  expect(chooseKubeconfig({ named: undefined, environment: undefined, home: '/home/u', isReadable: (path) => readable.includes(path), ...places })).toBe(want)
})

it.each([
  ['what -n says', 'mine', 'shop', 'mine'],
  ["the kubeconfig's", '', 'shop', 'shop'],
  ['default, where the kubeconfig names none', '', '', 'default'],
])('a command looks into the namespace: %s', (_, asked, theirs, want) => {
  const folder = mkdtempSync(join(tmpdir(), 'kubun-kubeconfig-'))
  try {
    const path = join(folder, 'config')
    writeFileSync(path, JSON.stringify({ 'current-context': 'c', contexts: [{ name: 'c', context: { cluster: 'c', user: 'u', namespace: theirs } }] }))
    expect(namespaceOf(asked, path)).toBe(want)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
