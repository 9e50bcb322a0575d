/**
 * Who may import whom, and why not. A room may import itself and what stands here;
 * tidy.test.ts holds the code against it.
 */
export const layers: Readonly<Record<string, readonly string[]>> = {
  'core/lib': [],
  'core/api': ['core/lib'],
  'core/store': ['core/lib'],
  'core/pki': ['core/lib'],
  'core/client': ['core/api', 'core/lib'],
  'core/registry': ['core/api', 'core/store', 'core/lib'],
  'core/auth': ['core/client', 'core/api', 'core/pki', 'core/lib'],
  'core/admission': ['core/client', 'core/auth', 'core/api', 'core/lib'],
  'core/apiserver': ['core/registry', 'core/admission', 'core/auth', 'core/client', 'core/api', 'core/pki', 'core/lib'], // never the store
  'core/controllers': ['core/client', 'core/api', 'core/pki', 'core/lib'], // never the server, never the store
  'core/scheduler': ['core/client', 'core/api', 'core/lib'],
  'core/why': ['core/scheduler', 'core/client', 'core/api', 'core/lib'], // reads through the client alone, with the rights of who asks
  'core/fork': ['core/registry', 'core/store', 'core/admission', 'core/apiserver', 'core/auth', 'core/controllers', 'core/scheduler', 'core/client', 'core/api', 'core/lib', 'core/boot.ts'], // a composition root in several files
  'core/plan': ['core/fork', 'core/why', 'core/client', 'core/api', 'core/lib'], // asks a fork, and reads the cluster as any client
  'agents/host': ['core/lib'],
  'agents/kubelet': ['agents/host', 'core/client', 'core/api', 'core/pki', 'core/lib'],
  'agents/proxy': ['agents/host', 'core/client', 'core/api', 'core/lib'],
  'agents/network': ['agents/host', 'core/client', 'core/api', 'core/lib'],
  'agents/dns': ['agents/host', 'core/client', 'core/api', 'core/lib'],
  web: ['core/api', 'core/lib'],
  cmd: ['core/server.ts', 'core/fork', 'core/plan', 'core/why', 'agents/agent.ts', 'agents/uninstall.ts', 'web', 'core/client', 'core/api', 'core/pki', 'core/lib'],
}

/** Composition roots see every room of their side. */
export const roots: readonly string[] = ['core/server.ts', 'core/parts.ts', 'core/serving.ts', 'core/signin.ts', 'core/boot.ts', 'core/manifests.ts', 'core/encryption.ts', 'core/encryptionfile.ts', 'core/authentication.ts', 'core/authorization.ts', 'core/scheduling.ts', 'core/reload.ts', 'core/whypath.ts', 'agents/agent.ts', 'agents/uninstall.ts']

/** The one door of each outside package. */
export const doors: Readonly<Record<string, { readonly only: readonly string[]; readonly why: string }>> = {
  'better-sqlite3': { only: ['core/store/drivers/sqlite'], why: 'the store contract must not leak SQL' },
  dockerode: { only: ['agents/host/docker.ts', 'agents/host/docker/'], why: 'the kubelet speaks to a runtime, not to Docker' },
  execa: { only: ['agents/host/exec.ts'], why: 'one place that starts processes, and can be faked' },
  hono: { only: ['core/apiserver/', 'web/'], why: 'HTTP is the business of the server and the dashboard' },
  zod: { only: ['cmd/', 'core/lib/config.ts', 'core/lib/config.test.ts'], why: 'user input is parsed once, at the door' },
}

/** Globals with one owner each. `pattern` is looked for in code, outside comments. */
export const owners: readonly { readonly what: string; readonly pattern: RegExp; readonly only: readonly string[]; readonly why: string }[] = [
  {
    what: 'the clock',
    pattern: /\bDate\.now\(|\bnew Date\(\)|\bsetTimeout\(|\bsetInterval\(|\bperformance\.now\(/,
    only: ['core/lib/clock.ts', 'core/lib/log.ts', 'cmd/dev/', 'web/', 'test/'],
    why: 'time is handed in, so that a run replays',
  },
  {
    what: 'chance',
    pattern: /\bMath\.random\(|\brandomUUID\(|\bgetRandomValues\(|\brandomBytes\(/,
    only: ['core/lib/random.ts', 'core/pki/', 'web/', 'test/'],
    why: 'chance is handed in, so that a run replays',
  },
  { what: 'the console', pattern: /\bconsole\.\w+\(/, only: ['core/lib/log.ts', 'cmd/', 'test/'], why: 'parts log through ctx.log' },
  { what: 'argv, environment and exit', pattern: /\bprocess\.(env|argv|exit)\b|\bBun\.(env|argv)\b/, only: ['cmd/', 'test/'], why: 'the command line is read in one place' },
]
