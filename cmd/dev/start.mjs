/** npm start: everything a fresh machine needs, the build, then `kubun server` in the foreground. Further words go to the server. */
import { spawn } from 'node:child_process'
import { attempt, build, debian, dockerRuns, engine, say, SetupError, toolchain } from './setup.mjs'

await attempt(async () => {
  if (process.getuid() !== 0) throw new SetupError('kubun server needs root (containers, network, nftables): run it with sudo')
  toolchain()
  debian(engine)
  await dockerRuns()
  const kubun = build()
  say('starting kubun server')
  const child = spawn(kubun, ['server', ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
  return await new Promise((resolve) => child.on('exit', (code, signal) => resolve(code ?? (signal === null ? 0 : 1))))
})
