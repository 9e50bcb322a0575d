/** Text as it may be sent to a terminal: what a terminal would obey is shown instead. Messages, logs and errors are written by anybody. */

/** Tabs and ends of lines are layout. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g

/** As JSON would escape them, so that JSON stays what it was. */
export function visible(text: string): string {
  return text.replaceAll(controls, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
