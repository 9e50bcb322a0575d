/** The same lines for a shell to upstream's control plane and to ours; what is said differently is shown, but for the accepted list. */
import { join } from 'node:path'
import { accepted } from './differences.ts'
import { helmCases } from './helm/cases.ts'
import { kubectlCases } from './kubectl/cases.ts'
import { addHollowNodes, startExecutable, startUpstreamPlane, type Plane } from './plane.ts'
import { built, helm } from './programs.ts'
import { playShell, type Said, type ShellCase } from './shell.ts'

interface Group {
  readonly files: string
  readonly cases: readonly ShellCase[]
}

export async function compareKubectl(dir: string): Promise<boolean> {
  return await compare(dir, { files: join(import.meta.dirname, 'kubectl', 'files'), cases: kubectlCases })
}

export async function compareHelm(dir: string): Promise<boolean> {
  built(helm)
  return await compare(dir, { files: join(import.meta.dirname, '..', 'charts'), cases: helmCases })
}

async function compare(dir: string, group: Group): Promise<boolean> {
  const upstream = await startUpstreamPlane(join(dir, 'upstream'))
  if (typeof upstream === 'string') {
    console.log(`skipped: ${upstream}`)
    return true
  }
  const want = await said(upstream, join(dir, 'upstream', 'shell'), group)
  const have = await said(await startExecutable(join(dir, 'ours')), join(dir, 'ours', 'shell'), group)
  let different = 0
  for (const [name, wanted] of want) {
    const lines = difference(wanted, have.get(name))
    if (lines.length === 0 || accepted.some(({ cases }) => cases.test(name.replace(/^\d+ /, '')))) continue
    different++
    console.log(`\n${name}\n${lines.join('\n')}`)
  }
  console.log(`\n${want.size - different} the same or accepted, ${different} different`)
  return different === 0
}

async function said(plane: Plane, dir: string, { files, cases }: Group): Promise<ReadonlyMap<string, Said>> {
  try {
    const hollow = await addHollowNodes(plane)
    try {
      return await playShell(plane.kubeconfig, { dir, files, cases })
    } finally {
      await hollow.stop()
    }
  } finally {
    await plane.stop()
  }
}

const shownMax = 20

function difference(want: Said, have: Said | undefined): readonly string[] {
  if (want.code === have?.code && want.text === have.text) return []
  const [wanted, had] = [want, have].map((each) => (each?.text ?? each?.raw ?? '').split('\n'))
  const only = (lines: readonly string[] = [], others: readonly string[] = []): readonly string[] => lines.filter((line) => !others.includes(line))
  return [`  exit code ${want.code}, ours ${have?.code}`, ...only(wanted, had).map((line) => `  - ${line}`), ...only(had, wanted).map((line) => `  + ${line}`)].slice(0, shownMax)
}
