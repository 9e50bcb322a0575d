/** The program over client-go against our executable, once for each way that clients speak: what each check wants is in client-go/. */
import { join } from 'node:path'
import { poll, start } from '../../support/process.ts'
import { startExecutable } from './plane.ts'
import { built, clientGo } from './programs.ts'

interface Mode {
  readonly name: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly only?: string
}

const protobuf = 'application/vnd.kubernetes.protobuf'
const cbor = { KUBE_FEATURE_ClientsAllowCBOR: 'true', KUBE_FEATURE_ClientsPreferCBOR: 'true' }

const modes: readonly Mode[] = [
  { name: 'JSON, watch lists', args: [], env: { KUBE_FEATURE_WatchListClient: 'true' } },
  { name: 'protobuf', args: ['--wire', protobuf], env: { KUBE_FEATURE_WatchListClient: 'true' } },
  { name: 'lists and watches', args: [], env: { KUBE_FEATURE_WatchListClient: 'false' }, only: 'informers|watch|restart' },
  { name: 'CBOR preferred', args: [], env: cbor, only: 'dynamic|metadata|wire|informers' },
  { name: 'HTTP/1.1', args: ['--http1', '--wire', protobuf], env: {}, only: 'informers|lists|watch|wire|restart' },
]

const modeMs = 300_000

export async function checkClientGo(dir: string): Promise<boolean> {
  const program = built(clientGo)
  let failed = 0
  for (const [index, { name, args, env, only = '' }] of modes.entries()) {
    const plane = await startExecutable(join(dir, `client-go-${index}`))
    const running = start(program, ['--kubeconfig', plane.kubeconfig, '--only', only, ...args], { env })
    let asked = 0
    await poll(`client-go, ${name}`, modeMs, async () => {
      const wanted = running.text().split('restart?\n').length - 1
      if (wanted > asked) {
        asked++
        await plane.restart()
        running.write('restarted\n')
      }
      return await Promise.race([running.exited.then(() => true), new Promise<string>((resolve) => setTimeout(() => resolve('it goes on'), 200))])
    }, 10)
    const lines = running.text().split('\n')
    const bad = lines.filter((line) => line.startsWith('FAIL'))
    failed += bad.length
    console.log([`client-go, ${name}: ${lines.filter((line) => line.startsWith('ok')).length} ok, ${bad.length} failed`, ...bad].join('\n  '))
    await plane.stop()
  }
  return failed === 0
}
