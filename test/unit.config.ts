/** Unit, contract, tidy and smoke tests: everything named *.test.ts. */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: { root: new URL('..', import.meta.url).pathname, include: ['{core,agents,cmd,web,test}/**/*.test.{ts,tsx}'], pool: 'threads', maxWorkers: 2, isolate: false, testTimeout: 30_000 },
})
