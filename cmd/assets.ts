/**
 * Files that the build puts into the executable: the dashboard, descriptions,
 * licences. In a checkout that was never built there are none.
 */

declare const KUBUN_BUILT: boolean | undefined

let files: Readonly<Record<string, string>> = {}
if (typeof KUBUN_BUILT !== 'undefined') {
  // The index is made by cmd/dev/build.ts; a checkout's type check does not see it.
  const index: string = '../dist/assets.ts'
  files = ((await import(index)) as { files: Readonly<Record<string, string>> }).files
}

/** Path (readable with readFileSync) of an asset by its name under dist/assets, e.g. `ui/main.js`; undefined where there is none. */
export function asset(name: string): string | undefined {
  return files[name]
}
