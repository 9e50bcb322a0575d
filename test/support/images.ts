/**
 * Images made on the spot from this machine's static busybox: `web` answers over
 * HTTP with its host name and version (8080), logs each request, and ends cleanly
 * on SIGTERM. Nothing is pulled.
 */
import { chmodSync, copyFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LabNode } from './lab.ts'
import { commandPath } from './machine.ts'
import { must } from './process.ts'

export const webImage = (version: string): string => `kubun.test/web:${version}`
export const webVersions = ['v1', 'v2', 'v3'] as const

/** Beside busybox's own `sh`: what a container starts with. */
const script = `#!/bin/sh
mkdir -p /www
echo "$(hostname) $VERSION" > /www/index.html
echo "web $VERSION as $(hostname)"
trap 'echo bye; exit 0' TERM
httpd -f -vv -p 8080 -h /www &
wait $!
`

/** Puts the images into the nodes' engines. */
export async function loadImages(dir: string, nodes: readonly LabNode[]): Promise<void> {
  const busybox = commandPath('busybox')
  if (busybox === undefined) throw new Error('there is no busybox (Debian: apt-get install busybox-static)')
  const root = join(dir, 'image')
  const archive = join(dir, 'image.tar')
  mkdirSync(join(root, 'bin'), { recursive: true })
  for (const folder of ['etc', 'tmp', 'root']) mkdirSync(join(root, folder))
  copyFileSync(busybox, join(root, 'bin/busybox'))
  chmodSync(join(root, 'bin/busybox'), 0o755)
  for (const applet of (await must(busybox, ['--list'])).split('\n').filter((name) => name !== '' && name !== 'busybox')) symlinkSync('busybox', join(root, 'bin', applet))
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/tmp:/bin/sh\n')
  writeFileSync(join(root, 'web.sh'), script, { mode: 0o755 })
  await must('tar', ['-C', root, '-cf', archive, '.'])
  for (const node of nodes) {
    for (const version of webVersions) {
      await node.docker('import', '-c', `ENV VERSION=${version} PATH=/bin`, '-c', 'CMD ["/web.sh"]', '-c', 'WORKDIR /', archive, webImage(version))
    }
  }
  rmSync(root, { recursive: true })
  rmSync(archive)
}
