/**
 * npm run test:peers -- [PART...] [--update] [--only REGEXP] [--full] [--keep]: what other programs find when ours stands
 * in upstream's place. PART is one or more of
 *
 *     requests             the same requests to upstream's kube-apiserver and to ours (what runs without a word)
 *     generated            requests that follow from a seed, of which there are as many as one likes (generated/run.ts)
 *     scheduling           clusters that follow from a seed, to upstream's scheduler and to ours (scheduling/run.ts)
 *     kubectl, helm        the same lines said to kubectl and to Helm, over both control planes
 *     client-go            a program over client-go against the built executable
 *     controller-runtime   controller-runtime's own tests against the built executable
 *
 * or `all`. All but the first three want dist/kubun, or what KUBUN_EXECUTABLE names, and root. --update writes upstream's
 * answers to requests and about clusters as golden data, which golden.test.ts and scheduling.test.ts hold against ours
 * without Go; --only chooses groups of requests; --full shows all of long differences, --keep leaves the servers' files.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkClientGo } from './clients/clientgo.ts'
import { compareHelm, compareKubectl } from './clients/compare.ts'
import { runSuites } from './clients/suites.ts'
import { runGenerated } from './generated/run.ts'
import { compareRequests, withPeers } from './requests.ts'
import { runScheduling } from './scheduling/run.ts'

const flags = process.argv.slice(2)

function option(name: string): string | undefined {
  const at = flags.indexOf(name)
  return at < 0 ? undefined : (flags[at + 1] ?? '')
}

const requests = { only: new RegExp(option('--only') ?? ''), update: flags.includes('--update'), full: flags.includes('--full') }

const generated = {
  seed: Number(option('--seed') ?? 1), count: Number(option('--count') ?? 1_000), only: requests.only,
  custom: flags.includes('--custom'), record: flags.includes('--record'), full: requests.full,
}

/** Each is given a directory of its own, and answers whether all was well. */
const parts: Readonly<Record<string, (dir: string) => Promise<boolean>>> = {
  requests: (dir) => compareRequests(dir, requests),
  generated: (dir) => withPeers(dir, (upstream, ours) => runGenerated(upstream, ours, generated)),
  scheduling: async () => runScheduling({ seed: Number(option('--seed') ?? 2), count: Number(option('--count') ?? 300), update: requests.update }),
  kubectl: compareKubectl,
  helm: compareHelm,
  'client-go': checkClientGo,
  'controller-runtime': runSuites,
}

async function main(): Promise<number> {
  const words = flags.filter((word, at) => !word.startsWith('--') && !['--only', '--seed', '--count'].includes(flags[at - 1] ?? ''))
  const unknown = words.find((word) => word !== 'all' && parts[word] === undefined)
  if (unknown !== undefined) {
    console.log(`no part is called ${unknown}: ${Object.keys(parts).join(', ')} or all`)
    return 2
  }
  const chosen = words.includes('all') ? Object.keys(parts) : words.length === 0 ? ['requests'] : words
  if (spawnSync('go', ['version']).status !== 0 && chosen.some((name) => name !== 'requests' && name !== 'generated')) {
    console.log('skipped: there is no Go to build clients')
    return 0
  }
  const dir = mkdtempSync(join(tmpdir(), 'kubun-peers-'))
  let good = true
  try {
    for (const name of chosen) {
      console.log(`== ${name}`)
      mkdirSync(join(dir, name))
      good = ((await parts[name]?.(join(dir, name))) ?? true) && good
    }
  } finally {
    if (!flags.includes('--keep')) rmSync(dir, { recursive: true, force: true })
  }
  return good ? 0 : 1
}

process.exit(await main())
