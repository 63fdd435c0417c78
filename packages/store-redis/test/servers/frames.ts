// frames.ts: cuts a stream of Redis's protocol into whole requests or answers, without looking at what they say.

/** Collects bytes until they make whole values. */
export class Frames {
  #rest: Buffer = Buffer.alloc(0)

  /** The values that are whole now. */
  push(chunk: Buffer): readonly Buffer[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const whole: Buffer[] = []
    let start = 0
    for (let end = endOf(bytes, start); end !== undefined; end = endOf(bytes, start)) {
      whole.push(bytes.subarray(start, end))
      start = end
    }
    this.#rest = bytes.subarray(start)
    return whole
  }
}

/** Whether an answer is one that nobody asked for (RESP3). */
export function isPush(frame: Buffer): boolean {
  return frame[0] === '>'.charCodeAt(0)
}

/** Where the value that begins at `start` ends; `undefined` while it isn't all there. */
function endOf(bytes: Buffer, start: number): number | undefined {
  const lineEnd = bytes.indexOf('\r\n', start)
  if (lineEnd === -1) return undefined
  const after = lineEnd + 2
  const count = Number(bytes.toString('latin1', start + 1, lineEnd))
  switch (bytes.toString('latin1', start, start + 1)) {
    case '$':
    case '=':
    case '!':
      return count < 0 ? after : within(bytes, after + count + 2)
    case '*':
    case '~':
    case '>':
      return endOfSeveral(bytes, after, count)
    case '%':
      return endOfSeveral(bytes, after, count * 2)
    case '|':
      // Attributes stand before the value that they belong to.
      return endOfSeveral(bytes, after, count * 2 + 1)
    default:
      return after
  }
}

function endOfSeveral(bytes: Buffer, start: number, count: number): number | undefined {
  let end: number | undefined = start
  for (let index = 0; index < count && end !== undefined; index += 1) end = endOf(bytes, end)
  return end
}

function within(bytes: Buffer, end: number): number | undefined {
  return end <= bytes.length ? end : undefined
}
