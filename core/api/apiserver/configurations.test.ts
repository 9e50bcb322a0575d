/** What is wrong with configuration files, as upstream's own validation says it (test/golden/access/configurations.json). */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readAuthentication } from './authentication.ts'
import { anonymousChange, checkAuthentication } from './authenticationrules.ts'
import { checkAuthorization, nameProblems, readAuthorization } from './authorization.ts'

interface Golden {
  readonly name: string
  readonly text: string
  readonly messages: readonly string[]
}

const golden = JSON.parse(readFileSync(new URL('../../../test/golden/access/configurations.json', import.meta.url), 'utf8')) as readonly Golden[]
/** The machine that upstream's answers come from had this file and this folder. */
const fileProblem = (path: string): string | undefined => (path === '/etc' ? 'must be a regular file' : undefined)

function problemsOf(text: string): readonly string[] {
  try {
    const errors = text.includes('AuthenticationConfiguration') ? checkAuthentication(readAuthentication(text), ['https://taken']).errors : checkAuthorization(readAuthorization(text), fileProblem)
    return errors.map((error) => error.message())
  } catch (error) {
    return [`decode: ${(error as Error).message}`]
  }
}

describe('a configuration file', () => {
  it.each(golden.map((one) => [one.name, one] as const))('%s', (_name, { text, messages }) => {
    expect(problemsOf(text)).toEqual(messages)
  })

  it.each([
    ['', 'empty config data'],
    ['apiVersion: v1\nkind: Pod\n', 'no kind "Pod" is registered for version "v1": it must be AuthenticationConfiguration of apiserver.config.k8s.io/v1 or apiserver.config.k8s.io/v1beta1 or apiserver.config.k8s.io/v1alpha1'],
    ['apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\njwt: {}\n', 'jwt must be a list'],
  ])('%j cannot be read', (text, message) => {
    expect(() => readAuthentication(text)).toThrow(message)
  })

  it('may not change who needs no name, nor the names and sorts of authorizers', () => {
    const one = readAuthentication('apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\nanonymous: {enabled: true}\n')
    expect(anonymousChange(one, { jwt: [] }).map((error) => error.message())).toEqual(['anonymous: Forbidden: changed from initial configuration file'])
    expect(nameProblems({ authorizers: [{ type: 'RBAC', name: 'x' }] }, ['RBAC', 'Node'])).toEqual(['expected name rbac for authorizer RBAC instead of x', 'missing required types: [Node]'])
  })
})
