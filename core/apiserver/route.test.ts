import { describe, expect, it } from 'vitest'
import { pods } from '../api/core/pod.ts'
import { parseRequest } from './request.ts'
import { handlerOf } from './route.ts'

describe('handlerOf', () => {
  it.each([
    ['HEAD', 'proxy/x', 'connect'],
    ['OPTIONS', 'proxy/x', 'connect'],
    ['PATCH', 'proxy', 'connect'],
    ['POST', 'exec', 'connect'],
    ['GET', 'log', 'connect'],
    ['DELETE', 'log', 405],
    ['OPTIONS', 'exec', 405],
    ['HEAD', 'status', 405],
  ])('%s pods/a/%s: %s', (method, subresource, want) => {
    const handle = (): unknown => handlerOf(pods, parseRequest(method, `/api/v1/namespaces/default/pods/a/${subresource}`))
    if (want === 'connect') expect(handle()).toBe('connect')
    else expect(handle).toThrow(expect.objectContaining({ code: want }))
  })
})
