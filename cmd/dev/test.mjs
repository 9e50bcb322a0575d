/**
 * npm test: sets everything up and runs all tests that need no Go: types, lint,
 * unit, contract, tidy and simulation smoke, then the end-to-end tests on the built
 * executable with real Docker, kubectl, nft and Chromium. Ends with `N passed, N failed, N skipped`.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { attempt, build, bun, debian, dockerRuns, engine, root, say, toolchain } from './setup.mjs'

const total = { passed: 0, failed: 0, skipped: 0 }

/** A step whose exit code is its verdict. */
function step(name, command, args) {
  say(name)
  const ok = spawnSync(command, args, { cwd: root, stdio: 'inherit' }).status === 0
  total[ok ? 'passed' : 'failed']++
  return ok
}

/** A vitest run; its cases are added to the totals. */
function suite(name, args) {
  say(name)
  const dir = mkdtempSync(join(tmpdir(), 'kubun-test-'))
  const report = join(dir, 'report.json')
  const run = spawnSync(bun, ['--bun', 'vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...args], { cwd: root, stdio: 'inherit' })
  if (!existsSync(report)) total.failed++
  else {
    const result = JSON.parse(readFileSync(report, 'utf8'))
    total.passed += result.numPassedTests
    total.failed += result.numFailedTests
    total.skipped += result.numPendingTests + (result.numTodoTests ?? 0)
    if (run.status !== 0 && result.numFailedTests === 0) total.failed++
  }
  rmSync(dir, { recursive: true })
}

await attempt(async () => {
  toolchain()
  step('types', 'tsc', ['--noEmit'])
  step('lint', 'oxlint', ['--type-aware', 'core', 'agents', 'cmd', 'web', 'test'])
  suite('unit tests', ['--config', 'test/unit.config.ts'])
  step('simulation, a thousand seeds', bun, ['test/sim/run.ts', '--seeds', '1..1000'])
  if (!process.argv.includes('--no-e2e')) {
    debian({ ...engine, kubectl: 'kubernetes-client', chromium: 'chromium', busybox: 'busybox-static', curl: 'curl' })
    await dockerRuns()
    build()
    suite('end-to-end tests', ['--config', 'test/e2e.config.ts'])
  }
  console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
  return total.failed === 0 ? 0 : 1
})
