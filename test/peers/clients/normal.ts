/** What a program wrote, without what chance, time and a server's own choices put into it, and without the widths of columns. */
export function normalText(text: string, dir: string): string {
  let to = text.replaceAll(dir, '<dir>')
  for (const [from, by] of rules) to = to.replaceAll(from, by)
  return to.split('\n').map((line) => line.replaceAll(/ {2,}/g, '  ').trimEnd()).filter((line) => !ages.test(line)).join('\n').trim()
}

/** Lines that say only when something happened, or that it happened again. */
const ages = /^ *(Events:|Type {2}Reason|---- {2}------|Normal {2}\w|Warning {2}\w)/

const rules: readonly (readonly [RegExp, string])[] = [
  [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<uid>'],
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '<time>'],
  [/\b[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}/g, '<time>'],
  [/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4} UTC/g, '<time>'],
  [/eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+/g, '<token>'],
  [/\b[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}/g, '<time>'],
  [/resourceVersion: "\d+"|"resourceVersion": ?"\d+"|Resource Version: +\d+/g, '<version>'],
  [/\b10\.(43|96)\.\d+\.\d+\b/g, '<service address>'],
  [/127\.0\.0\.1:\d+/g, '<server>'],
  [/\b(\d+(d|h|m|s))+( ago)?(?= |$)/gm, '<age>'],
  [/\bnodePort: \d+|NodePort: +<unset> +3\d{4}\/TCP|:3\d{4}\/TCP/g, '<node port>'],
  // Of the template as Go prints it in memory: each server's own, and nobody's business.
  [/(?<=(pod-template-hash=|pod-template-hash: |pod-template-hash": "|\b(web|short|shop)-))[0-9a-z]{6,10}(?=\b)/g, '<hash>'],
  [/(kube-api-access-|(web|short|shop)-<hash>-|web-(?=[a-z0-9]{5}\b))[a-z0-9]{5}\b/g, '$1<random>'],
  [/ {2}node-[ab]\b|nodeName: node-[ab]|"nodeName": "node-[ab]"|Node: +node-[ab]\/|to node-[ab]\b/g, ' <node>'],
]
