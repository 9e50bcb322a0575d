import { expect, it } from 'vitest'
import { chooseKubeconfig } from './kubeconfig.ts'

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
