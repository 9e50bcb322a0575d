import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { describeFlags, resolveFlags, UsageError } from './config.ts'

const schema = z.object({
  'cluster-cidr': z.string().default('10.42.0.0/16').describe('addresses of pods'),
  'https-port': z.coerce.number().int().min(1).max(65535).default(6443),
  'tls-san': z.array(z.string()).default([]).describe('further name'),
  label: z.array(z.string().regex(/=/, 'must look like key=value')).optional(),
  debug: z.boolean().default(false),
  token: z.string().optional(),
})
const from = (argv: string[], env: Record<string, string> = {}, text?: string) =>
  resolveFlags(schema, { argv, env, ...(text === undefined ? {} : { file: { path: '/etc/kubun/config.yaml', text } }), foreignKeys: ['server'] })

describe('resolveFlags()', () => {
  it('lets a flag beat the environment, the environment the file, the file the default', () => {
    const file = 'cluster-cidr: 10.1.0.0/16\nhttps-port: 7000\n'
    expect(from([], {}).flags['cluster-cidr']).toBe('10.42.0.0/16')
    expect(from([], {}, file).flags).toMatchObject({ 'cluster-cidr': '10.1.0.0/16', 'https-port': 7000 })
    expect(from([], { KUBUN_HTTPS_PORT: '7001' }, file).flags['https-port']).toBe(7001)
    expect(from(['--https-port=7002'], { KUBUN_HTTPS_PORT: '7001' }, file).flags['https-port']).toBe(7002)
  })

  it('reads lists, switches and words', () => {
    const { flags, words } = from(['create', '--tls-san', 'a,b', '--tls-san=c', '--debug', '--', '--x'])
    expect(flags).toMatchObject({ 'tls-san': ['a', 'b', 'c'], debug: true })
    expect(words).toEqual(['create', '--x'])
  })

  it('knows a list whose values must obey a rule', () => {
    expect(from(['--label', 'a=b,c=d', '--label=e=f']).flags.label).toEqual(['a=b', 'c=d', 'e=f'])
    expect(() => from(['--label', 'a'])).toThrow('must look like key=value')
  })

  it.each([
    ['an unknown flag', ['--nope'], {}, undefined, 'unknown flag --nope'],
    ['a flag without its value', ['--token'], {}, undefined, '--token needs a value'],
    ['a bad value', ['--https-port', 'abc'], {}, undefined, '--https-port: "abc"'],
    ['a bad value in the environment', [], { KUBUN_HTTPS_PORT: '0' }, undefined, 'KUBUN_HTTPS_PORT: "0"'],
    ['an unknown key', [], {}, 'debug: true\nnodename: x\n', '/etc/kubun/config.yaml:2: unknown key "nodename"'],
    ['broken YAML', [], {}, 'a: [1\n', '/etc/kubun/config.yaml:'],
  ] as const)('refuses %s with its place', (_, argv, env, text, sentence) => {
    expect(() => from([...argv], env, text)).toThrow(UsageError)
    expect(() => from([...argv], env, text)).toThrow(sentence)
  })

  it('passes over keys of other commands in the shared file', () => {
    expect(from([], {}, 'server: https://a:6443\n').flags.debug).toBe(false)
  })

  it('describeFlags() shows names and defaults', () => {
    expect(describeFlags(schema)).toContain('--cluster-cidr VALUE  addresses of pods (default "10.42.0.0/16")')
    expect(describeFlags(schema).split('\n').find((line) => line.includes('--tls-san'))).toMatch(/further name, may be repeated$/)
  })
})
