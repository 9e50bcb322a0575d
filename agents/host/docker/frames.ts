/**
 * Docker's stream formats: frames of [stream, 0, 0, 0, length(4)] for output of
 * containers without a tty, and lines of JSON. Input arrives in any pieces.
 */

export interface Frame {
  readonly stream: 'stdout' | 'stderr'
  readonly data: Uint8Array
}

/** Takes pieces, gives whole frames; keeps what is incomplete. */
export function frameReader(): (piece: Uint8Array) => Frame[] {
  let rest = Buffer.alloc(0)
  return (piece) => {
    rest = rest.length === 0 ? Buffer.from(piece) : Buffer.concat([rest, piece])
    const frames: Frame[] = []
    let at = 0
    while (rest.length - at >= 8) {
      const length = rest.readUInt32BE(at + 4)
      if (rest.length - at - 8 < length) break
      frames.push({ stream: rest[at] === 2 ? 'stderr' : 'stdout', data: rest.subarray(at + 8, at + 8 + length) })
      at += 8 + length
    }
    rest = rest.subarray(at)
    return frames
  }
}

export async function* readFrames(source: AsyncIterable<Uint8Array>): AsyncGenerator<Frame> {
  const read = frameReader()
  for await (const piece of source) yield* read(piece)
}

export async function* splitLines(source: AsyncIterable<Uint8Array | string>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const piece of source) {
    rest += typeof piece === 'string' ? piece : decoder.decode(piece, { stream: true })
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
  if (rest !== '') yield rest
}
