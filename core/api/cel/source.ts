/**
 * The text of an expression: where a character stands in it, and what is wrong with it, printed as cel-go prints it
 * (cel-go/common/source.go, error.go, errors.go). Columns count characters, not UTF-16 units.
 */
import type { Issue } from './cel.ts'
import { characters } from './kinds.ts'

/** Errors past this number are counted, not kept. */
const issuesMax = 100
/** Longer source lines are not shown below an error. */
const snippetBytesMax = 16_384

export class Source {
  readonly text: string
  readonly #lineStarts: number[] = [0]
  #issues: Issue[] = []
  #count = 0

  constructor(text: string) {
    this.text = text
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) this.#lineStarts.push(at + 1)
  }

  get failed(): boolean {
    return this.#count > 0
  }

  /** In the order of the source. */
  get issues(): readonly Issue[] {
    return this.#issues.toSorted((a, b) => a.line - b.line || a.column - b.column)
  }

  /** `offset` is in UTF-16 units; undefined: the error has no place. */
  report(offset: number | undefined, message: string): void {
    this.#count++
    if (this.#count > issuesMax) return
    this.#issues.push(offset === undefined ? { line: -1, column: -1, message } : { ...this.#place(offset), message })
  }

  /** All errors, each with its source line and a caret. */
  print(): string {
    const texts = this.issues.map((issue) => this.#print(issue))
    if (this.#count > issuesMax) texts.push(`${this.#count - issuesMax} more errors were truncated`)
    return texts.join('\n')
  }

  #place(offset: number): { line: number; column: number } {
    if (this.text === '') return { line: 1, column: -1 }
    let line = this.#lineStarts.findLastIndex((start) => start <= offset)
    if (line < 0) line = 0
    const column = characters(this.text.slice(this.#lineStarts[line], offset))
    return { line: line + 1, column }
  }

  #print(issue: Issue): string {
    const head = `ERROR: <input>:${issue.line}:${issue.column + 1}: ${issue.message}`
    const line = issue.column < 0 ? undefined : this.#line(issue.line)
    if (line === undefined || new TextEncoder().encode(line).length > snippetBytesMax) return head
    const shown = line.replaceAll('\t', ' ')
    const letters = Array.from(shown)
    const dots = letters.slice(0, issue.column).map((character) => (isWide(character) ? '．' : '.'))
    const caret = isWide(letters[issue.column] ?? '') ? '＾' : '^'
    return `${head}\n | ${shown}\n | ${dots.join('')}${caret}`
  }

  #line(line: number): string | undefined {
    const start = this.#lineStarts[line - 1]
    if (start === undefined) return undefined
    const end = this.#lineStarts[line]
    return this.text.slice(start, end === undefined ? undefined : end - 1)
  }
}

function isWide(character: string): boolean {
  return (character.codePointAt(0) ?? 0) >= 0x80
}
