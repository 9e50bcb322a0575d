/** Byte streams as text: whole, or line by line as watches and logs come. */

/** A watch event is not longer than this; a longer one ends the stream. */
export const lineBytesMax = 16 * 1_024 * 1_024

export async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const part of body) parts.push(part)
  return Buffer.concat(parts).toString('utf8')
}

/** Lines without their end; what stands after the last line break is cut off mid-way and not given. */
export async function* lines(body: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  let rest: Uint8Array[] = []
  let restBytes = 0
  for await (const chunk of body) {
    let from = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      const line = Buffer.concat([...rest, chunk.subarray(from, end)]).toString('utf8')
      rest = []
      restBytes = 0
      from = end + 1
      if (line !== '') yield line
    }
    if (from === chunk.length) continue
    rest.push(from === 0 ? chunk : chunk.subarray(from))
    restBytes += chunk.length - from
    if (restBytes > lineBytesMax) throw new Error(`line of more than ${lineBytesMax} bytes`)
  }
}
