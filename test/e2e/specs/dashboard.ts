/**
 * The dashboard in a real browser: signing in, the overview, lists that follow the cluster, an object with its YAML,
 * owners and log, and what a user without rights is told. Needs a Deployment whose pods run and write a log.
 */
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ClusterLab } from '../../support/lab.ts'
import type { Ran } from '../../support/process.ts'

export interface DashboardLab {
  /** https://HOST:PORT */
  readonly url: string
  /** Chromium, or a script that runs it where the server can be reached. */
  readonly chromium: string
  /** A fresh one-time link for an administrator. */
  link(): Promise<string>
  /** kubectl that must succeed: what it prints. */
  kubectl(words: readonly string[]): Promise<string>
  /** A program where the server can be reached. */
  run(command: string, args: readonly string[]): Promise<Ran>
  /** A Deployment in the namespace default, and what its pods write. */
  readonly deployment: string
  readonly log: RegExp
}

export const chromiumPath = '/usr/bin/chromium'
const args = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']
const waitMs = 20_000
/** Pictures of the last run, to look at. */
const pictures = resolve(import.meta.dirname, '../../../dist/e2e')

/** The demonstration's lab: its server listens in a network namespace, so the browser runs there, too. */
export function dashboardLab(lab: ClusterLab): DashboardLab {
  const script = join(lab.dir, 'chromium')
  writeFileSync(script, `#!/bin/sh\nexec nsenter --net=${lab.first.netns} ${chromiumPath} "$@"\n`)
  chmodSync(script, 0o755)
  return {
    url: `https://${lab.first.ip}:6443`,
    chromium: script,
    async link() {
      const printed = await lab.kubun(['dashboard', '--kubeconfig', lab.kubeconfig, '--address', `https://${lab.first.ip}:6443`])
      return printed.stdout.trim()
    },
    kubectl: (words) => lab.k(words),
    run: lab.onFirst,
    deployment: 'web',
    log: /web v\d as /,
  }
}

export function dashboardSpecs(labOf: () => DashboardLab): void {
  const lacking = existsSync(chromiumPath) ? undefined : chromiumPath
  describe.skipIf(lacking !== undefined)(lacking === undefined ? 'the dashboard' : `the dashboard (skipped: this machine has no ${lacking})`, () => {
    let lab: DashboardLab
    let browser: Browser
    let context: BrowserContext
    let page: Page
    const broken: string[] = []
    const go = async (place: string): Promise<void> => void (await page.goto(`${lab.url}/ui/${place}`))
    const shows = (text: string | RegExp): Promise<void> => page.getByText(text).first().waitFor({ timeout: waitMs })
    const picture = async (name: string): Promise<void> => void (await page.screenshot({ path: join(pictures, `dashboard-${name}.png`) }))
    const open = async (): Promise<void> => {
      context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1360, height: 900 } })
      page = await context.newPage()
      page.setDefaultTimeout(waitMs)
      page.on('pageerror', (error) => broken.push(error.message))
      page.on('console', (message) => {
        if (/content security policy|refused to/i.test(message.text())) broken.push(message.text())
      })
    }
    const podName = async (): Promise<string> => {
      const names = await lab.kubectl(['get', 'pods', '-n', 'default', '-l', `app=${lab.deployment}`, '-o', 'jsonpath={.items[*].metadata.name}'])
      return names.split(' ')[0] ?? ''
    }

    beforeAll(async () => {
      lab = labOf()
      mkdirSync(pictures, { recursive: true })
      browser = await chromium.launch({ executablePath: lab.chromium, args })
      await open()
    })

    afterAll(async () => {
      await lab.kubectl(['delete', 'configmap,serviceaccount,rolebinding', '-n', 'default', '-l', 'made-by=dashboard-spec', '--ignore-not-found']).catch(() => '')
      await browser?.close()
    })

    it('asks who it is, and refuses a wrong token in words', async () => {
      const response = await page.goto(`${lab.url}/ui`)
      expect(response?.headers()['content-security-policy']).toContain("default-src 'none'; script-src 'self'")
      await page.getByLabel('Bearer token').fill('nonsense')
      await page.getByRole('button', { name: 'Sign in' }).click()
      await shows('The server does not know this token')
      await picture('login')
    })

    it('is entered by a link, which works once', async () => {
      const link = await lab.link()
      await page.goto(link)
      await page.getByRole('heading', { name: 'Overview' }).waitFor()
      expect(page.url()).not.toContain('code=')
      const cookies = await context.cookies()
      expect(cookies.map(({ name, httpOnly, secure, sameSite, path }) => ({ name, httpOnly, secure, sameSite, path }))).toEqual([{ name: '__Host-kubun', httpOnly: true, secure: true, sameSite: 'Strict', path: '/' }])
      const other = await browser.newContext({ ignoreHTTPSErrors: true })
      const late = await other.newPage()
      await late.goto(link)
      await late.getByText('This link was used already').waitFor()
      await other.close()
    })

    it('shows nodes and workloads', async () => {
      const nodes = (await lab.kubectl(['get', 'nodes', '-o', 'jsonpath={.items[*].metadata.name}'])).split(' ')
      for (const node of nodes) await page.locator('.node', { hasText: node }).waitFor()
      await page.getByRole('region', { name: 'Workloads' }).getByRole('row', { name: /default/ }).waitFor()
      await picture('overview')
    })

    it('lists follow the cluster', async () => {
      await go('#/list/core/v1/configmaps?ns=default')
      await page.getByRole('heading', { name: /ConfigMaps/ }).waitFor()
      await lab.kubectl(['create', 'configmap', 'dashboard-spec', '-n', 'default', '--from-literal=answer=42'])
      await lab.kubectl(['label', 'configmap', 'dashboard-spec', '-n', 'default', 'made-by=dashboard-spec'])
      await page.getByRole('link', { name: 'dashboard-spec' }).waitFor()
      await page.getByRole('searchbox', { name: 'Search ConfigMaps' }).fill('no such thing')
      await shows('Nothing matches your search.')
      await page.getByRole('searchbox', { name: 'Search ConfigMaps' }).fill('spec')
      await page.getByRole('link', { name: 'dashboard-spec' }).waitFor()
      await lab.kubectl(['delete', 'configmap', 'dashboard-spec', '-n', 'default'])
      await page.getByRole('link', { name: 'dashboard-spec' }).waitFor({ state: 'detached' })
    })

    it('pods have their columns, and are sorted by them', async () => {
      await go('#/list/core/v1/pods?ns=default')
      const pod = await podName()
      await page.getByRole('link', { name: pod }).waitFor()
      await page.getByRole('button', { name: 'Status' }).click()
      await page.locator('th[aria-sort=ascending]', { hasText: 'Status' }).waitFor()
      for (const column of ['Name', 'Ready', 'Status', 'Restarts', 'Age']) await page.getByRole('columnheader', { name: column }).waitFor()
      await picture('pods')
    })

    it('a pod has containers, owners, events and YAML', async () => {
      const pod = await podName()
      await page.getByRole('link', { name: pod }).click()
      await page.getByRole('heading', { name: pod }).waitFor()
      const tree = page.getByRole('region', { name: 'Owner tree' })
      await tree.getByText('Deployment', { exact: true }).waitFor()
      await tree.getByRole('link', { name: lab.deployment, exact: true }).waitFor()
      await page.getByRole('region', { name: 'Events' }).waitFor()
      await picture('pod')
      await page.getByRole('link', { name: 'YAML' }).click()
      await page.locator('pre.yaml', { hasText: 'kind: Pod' }).waitFor()
      expect(await page.locator('pre.yaml').innerText()).toContain(`name: ${pod}`)
    })

    it('a log is read', async () => {
      await page.getByRole('link', { name: 'Logs' }).click()
      await page.locator('pre.log', { hasText: lab.log }).waitFor()
      await page.getByRole('status').getByText('live').waitFor()
      await picture('log')
      await page.getByLabel('Follow').uncheck()
      await page.getByRole('status').getByText('ended').waitFor()
    })

    it('says why a pod does not run, and what would help', async () => {
      await lab.kubectl(['run', 'dashboard-spec', '-n', 'default', '--image=example/web', '--overrides={"spec":{"nodeSelector":{"disk":"none-such"}}}'])
      await go('#/object/core/v1/pods/default/dashboard-spec')
      const why = page.getByRole('region', { name: 'Why it does not run' })
      await why.getByText(/lacks? the label disk=none-such/).first().waitFor()
      await why.getByText('Details, and what would help').click()
      await why.getByText(/do without the node selector disk=none-such: it would fit on node/).waitFor()
      await picture('why')
      await lab.kubectl(['delete', 'pod', 'dashboard-spec', '-n', 'default', '--wait=false'])
    })

    it('a cookie alone does nothing for another site', async () => {
      const [cookie] = await context.cookies()
      const of = async (headers: Readonly<Record<string, string>>): Promise<number> => {
        const lines = Object.entries({ ...headers, cookie: `${cookie?.name}=${cookie?.value}` }).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
        return Number((await lab.run('curl', ['-sk', '-m', '10', '-o', '/dev/null', '-w', '%{http_code}', ...lines, `${lab.url}/api/v1/namespaces`])).stdout)
      }
      expect(await of({ 'x-kubun-ui': '1' })).toBe(200)
      expect(await of({ 'sec-fetch-site': 'cross-site', 'x-kubun-ui': '1' })).toBe(401)
      expect(await of({})).toBe(401)
    })

    it('signs out', async () => {
      await page.getByRole('button', { name: 'Sign out' }).click()
      await page.getByLabel('Bearer token').waitFor()
      expect(await context.cookies()).toEqual([])
    })

    it("shows a service account what its own rights let it see, and says the rest in words", async () => {
      await lab.kubectl(['create', 'serviceaccount', 'dashboard-spec', '-n', 'default'])
      await lab.kubectl(['create', 'rolebinding', 'dashboard-spec', '-n', 'default', '--clusterrole=view', '--serviceaccount=default:dashboard-spec'])
      await lab.kubectl(['label', 'serviceaccount/dashboard-spec', 'rolebinding/dashboard-spec', '-n', 'default', 'made-by=dashboard-spec'])
      const token = (await lab.kubectl(['create', 'token', 'dashboard-spec', '-n', 'default'])).trim()
      await page.getByLabel('Bearer token').fill(token)
      await page.getByRole('button', { name: 'Sign in' }).click()
      await shows('system:serviceaccount:default:dashboard-spec')
      await go('#/?ns=default')
      await page.getByRole('region', { name: 'Nodes' }).getByText(/cannot list resource "nodes"/).waitFor()
      await page.getByRole('region', { name: 'Workloads' }).getByRole('row', { name: /default/ }).waitFor()
      await go('#/list/core/v1/secrets?ns=default')
      await shows(/cannot list resource "secrets"/)
      await picture('refused')
    })

    it('broke no rule of its own', () => {
      expect(broken).toEqual([])
    })
  })
}
