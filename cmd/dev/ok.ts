/** npm run ok: the day's loop: types and lint side by side, then the unit tests, a few seeds of the simulation among them. Says what failed and how long each took. */
import { systemClock } from '../../core/lib/clock.ts'

const steps: readonly (readonly (readonly string[])[])[] = [
  [
    ['tsc', '--noEmit'],
    ['oxlint', '--type-aware', 'core', 'agents', 'cmd', 'web', 'test'],
  ],
  [['bun', '--bun', 'vitest', 'run', '--config', 'test/unit.config.ts', '--reporter=dot']],
]

let failed = false
for (const group of steps) {
  const runs = group.map(async (command) => {
    const start = systemClock.monotonic()
    const child = Bun.spawn([...command], { stdout: 'pipe', stderr: 'pipe', env: { ...process.env, NO_COLOR: '1' } })
    const [out, err, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited])
    const took = ((systemClock.monotonic() - start) / 1000).toFixed(1)
    if (code !== 0 || command[0] === 'bun') console.log(out + err)
    console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${command.join(' ')} (${took} s)`)
    if (code !== 0) failed = true
  })
  await Promise.all(runs)
}
process.exit(failed ? 1 : 0)
