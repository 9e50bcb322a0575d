/** The command line: help that is true, and bad input answered with one sentence, an exit code, and nothing left behind. */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { executable } from '../../support/lab.ts'
import { run, type Ran } from '../../support/process.ts'
import type { LabOf } from './demo.ts'

/** One line on standard error that starts with the program's name. */
export function expectSentence(ran: Ran, code: number, pattern: RegExp): void {
  expect({ code: ran.code, stderr: ran.stderr }).toEqual({ code, stderr: expect.stringMatching(/^kubun: [^\n]+\n$/) })
  expect(ran.stderr).toMatch(pattern)
}

export function cliSpecs(lab: LabOf): void {
  describe('the command line', () => {
    const kubun = (...args: readonly string[]): Promise<Ran> => lab().kubun(args)

    it('--help names every command, and each command its flags', async () => {
      const help = await kubun('--help')
      expect(help.code).toBe(0)
      const names = [...help.stdout.matchAll(/^ {2}([a-z]+) {2}/gm)].map(([, name = '']) => name)
      expect(names).toEqual(expect.arrayContaining(['server', 'agent', 'token', 'dashboard', 'version', 'licenses']))
      for (const name of names) expect(await kubun(name, '--help')).toMatchObject({ code: 0, stdout: expect.stringContaining(`Usage: kubun ${name}`), stderr: '' })
      expect((await kubun('server', '--help')).stdout).toMatch(/--https-port VALUE +\S.*6443/)
    })

    it('version and licenses', async () => {
      expect((await kubun('version')).stdout).toContain('v1.36')
      const licenses = await kubun('licenses')
      expect(licenses.stdout).toContain('Apache License')
      expect(licenses.stdout).toMatch(/better-sqlite3 \d/)
    })

    it.each<[what: string, args: readonly string[], code: number, sentence: RegExp]>([
      ['an unknown command', ['sever'], 2, /unknown command "sever"/],
      ['an unknown flag', ['server', '--colour', 'red'], 2, /unknown flag --colour/],
      ['a flag without its value', ['server', '--data-dir'], 2, /--data-dir needs a value/],
      ['a port that is none', ['server', '--https-port', '70000'], 2, /--https-port: "70000": must be a port/],
      ['a duration that is none', ['server', '--node-monitor-grace', 'soon'], 2, /must be a duration/],
      ['a NodePort range that is none', ['server', '--service-node-port-range', '1-'], 2, /such as 30000-32767/],
      ['a range of pods without its size', ['server', '--cluster-cidr', '10.42.0.0'], 2, /must be a range of addresses/],
      ['a word that nobody takes', ['server', 'now'], 2, /takes no words/],
      ['a controller that is none', ['server', '--disable-agent', '--https-port', '17443', '--disable', 'nosuch'], 1, /nothing is called "nosuch"/],
      ['an agent without a server', ['agent'], 2, /--server is required/],
      ['an agent with half a URL', ['agent', '--server', 'first'], 2, /must be a URL/],
      ['a token verb that is none', ['token', 'make'], 2, /create, list, or delete ID/],
      ['a token without a kubeconfig', ['token', 'list', '--kubeconfig', '/nonexistent'], 1, /cannot read \/nonexistent/],
    ])('%s', async (_what, args, code, sentence) => {
      expectSentence(await kubun(...args), code, sentence)
    })

    it('a config file with an unknown key: its file and line', async () => {
      const file = join(lab().dir, 'bad.yaml')
      writeFileSync(file, 'data-dir: /x\nhttps-prot: 7443\n')
      expectSentence(await lab().kubun(['server'], { env: { KUBUN_CONFIG: file } }), 2, /bad\.yaml:2.*https-prot/)
    })

    it('a flag beats the environment, which beats the file', async () => {
      const file = join(lab().dir, 'ports.yaml')
      writeFileSync(file, 'https-port: 70001\n')
      const server = (args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ran> => lab().kubun(['server', ...args], { env: { KUBUN_CONFIG: file, ...env } })
      expect((await server([], {})).stderr).toContain('70001')
      expect((await server([], { KUBUN_HTTPS_PORT: '70002' })).stderr).toMatch(/KUBUN_HTTPS_PORT: "70002"/)
      expect((await server(['--https-port', '70003'], { KUBUN_HTTPS_PORT: '70002' })).stderr).toMatch(/--https-port: "70003"/)
    })

    it('no root', async () => {
      const asNobody = (...args: readonly string[]): Promise<Ran> => run('setpriv', ['--reuid', '65534', '--regid', '65534', '--clear-groups', executable, ...args], { env: { KUBUN_CONFIG: '/nonexistent' } })
      const dir = join(lab().dir, 'nobody')
      expectSentence(await asNobody('server', '--data-dir', dir), 1, /needs root: run it with sudo/)
      expectSentence(await asNobody('agent', '--server', 'https://127.0.0.1:6443', '--data-dir', dir), 1, /needs root: run it with sudo/)
      expect(existsSync(dir)).toBe(false)
    })

    it('no Docker', async () => {
      const dir = join(lab().dir, 'undocked')
      const missing = await lab().kubun(['server', '--data-dir', dir, '--docker-socket', join(dir, 'docker.sock')])
      expectSentence(missing, 1, /Docker Engine is not there .*apt-get install docker\.io/)
      const dead = join(lab().dir, 'dead.sock')
      writeFileSync(dead, '')
      expectSentence(await lab().kubun(['server', '--data-dir', dir, '--docker-socket', dead]), 1, /Docker Engine does not answer/)
      expect(existsSync(dir)).toBe(false)
    })

    it('a busy port', async () => {
      const dir = join(lab().dir, 'busy')
      const ran = await lab().kubun(['server', '--disable-agent', '--data-dir', dir, '--node-ip', lab().first.ip, '--write-kubeconfig', join(dir, 'kubeconfig')])
      expectSentence(ran, 1, /port 6443 is in use.*--https-port/)
      expect(existsSync(join(dir, 'kubeconfig'))).toBe(false)
    })
  })
}
