// wire.ts: calls between a process and one that it forked, either way, over the channel between them.

/** What one end can be asked. */
export type Duties<D> = { readonly [K in keyof D]: (value: never) => unknown }

/** An end of the channel: the child as its parent sees it, or `process` in the child. */
interface End {
  send?(packet: Packet, done: (error: Error | null) => void): boolean
  on(event: 'message', listener: (packet: Packet) => void): unknown
}

type Packet =
  | { readonly ask: string; readonly number: number; readonly value: unknown }
  | { readonly answer: number; readonly value: unknown }
  | { readonly answer: number; readonly error: string; readonly retryable: boolean }

/** Why a call has no answer. */
export class CallFailed extends Error {
  override readonly name = 'CallFailed'
  /** Somebody else may do it, or the same one later. */
  readonly retryable: boolean

  constructor(what: string, { retryable }: { readonly retryable: boolean }) {
    super(what)
    this.retryable = retryable
  }
}

interface Waiting {
  resolve(value: never): void
  reject(reason: CallFailed): void
}

/** See the file head. */
export class Wire<Theirs extends Duties<Theirs>> {
  readonly #end: End
  readonly #ours: Readonly<Record<string, (value: never) => unknown>>
  readonly #waiting = new Map<number, Waiting>()
  #numbers = 0
  #isCut = false

  constructor(end: End, ours: Duties<unknown>) {
    this.#end = end
    this.#ours = ours
    end.on('message', (packet) => void this.#read(packet))
  }

  ask<K extends keyof Theirs & string>(
    what: K,
    value: Parameters<Theirs[K]>[0],
  ): Promise<Awaited<ReturnType<Theirs[K]>>> {
    if (this.#isCut) return Promise.reject(new CallFailed('The other end is gone.', { retryable: true }))
    this.#numbers += 1
    const number = this.#numbers
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject })
      this.#send({ ask: what, number, value })
    })
  }

  /** The other end is gone: whoever waits for an answer of it waits no longer. */
  cut(): void {
    this.#isCut = true
    for (const { reject } of this.#waiting.values())
      reject(new CallFailed('The other end is gone.', { retryable: true }))
    this.#waiting.clear()
  }

  async #read(packet: Packet): Promise<void> {
    if ('ask' in packet) {
      this.#send(await this.#answerTo(packet))
      return
    }
    const waiting = this.#waiting.get(packet.answer)
    this.#waiting.delete(packet.answer)
    if ('error' in packet) waiting?.reject(new CallFailed(packet.error, packet))
    else waiting?.resolve(packet.value as never)
  }

  async #answerTo({ ask, number: answer, value }: Extract<Packet, { ask: string }>): Promise<Packet> {
    try {
      return { answer, value: await this.#ours[ask]?.(value as never) }
    } catch (error) {
      const retryable = error instanceof Error && 'retryable' in error && error.retryable === true
      return { answer, error: error instanceof Error ? error.message : String(error), retryable }
    }
  }

  #send(packet: Packet): void {
    // An end that is gone says so by its exit; a packet to it is lost without a word.
    this.#end.send?.(packet, () => {})
  }
}
