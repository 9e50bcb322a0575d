/**
 * Warnings of one request, each once, as headers of its answer. Clients read no headers of any size: past 4,096 characters
 * in all each is cut to 256, and then no more are taken (k8s.io/apiserver/pkg/endpoints/filters/warning.go).
 */

const charactersMax = 4_096
const cutTo = 256

export class Warnings {
  readonly #texts = new Set<string>()
  #cuts = false
  #shown: string[] = []
  #characters = 0

  add(text: string): void {
    if (text === '' || (this.#cuts && this.#characters >= charactersMax)) return
    const clean = text.replaceAll(/[\r\n\t]/g, ' ')
    // Names in it may be the client's. No header can carry these, and upstream leaves such a warning out, too.
    // oxlint-disable-next-line no-control-regex -- they are what is looked for
    if (/[\u0000-\u001f\u007f-\u009f]/.test(clean) || this.#texts.has(clean)) return
    this.#texts.add(clean)
    this.#show(clean)
    if (this.#cuts || this.#characters <= charactersMax) return
    this.#cuts = true
    this.#shown = []
    this.#characters = 0
    for (const each of this.#texts) this.#show(each)
  }

  /** Quoted strings of RFC 9110. */
  get headers(): readonly string[] {
    return this.#shown.map((text) => `299 - "${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`)
  }

  #show(text: string): void {
    const characters = Array.from(text.slice(0, 2 * (charactersMax + 1)))
    const shown = this.#cuts ? characters.slice(0, cutTo) : characters
    this.#shown.push(shown.join(''))
    this.#characters += shown.length
  }
}
