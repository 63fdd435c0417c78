// waiters.ts: calls of `ask` that wait for the answer to their message.
import { type Env, InterstateError, type MessageId, type PlainObject, type TimerHandle } from '@interstate/core'
import type { Answer } from './answer.ts'

interface Waiter {
  readonly resolve: (reply: PlainObject | undefined) => void
  readonly reject: (error: InterstateError) => void
  readonly timer: TimerHandle
}

/** See the file head. */
export class Waiters {
  readonly #env: Env
  readonly #waiting = new Map<MessageId, Waiter[]>()

  constructor(env: Env) {
    this.#env = env
  }

  /** Messages whose answers are waited for. */
  get size(): number {
    return this.#waiting.size
  }

  has(message: MessageId): boolean {
    return this.#waiting.has(message)
  }

  /** Waits for the answer to a message. @throws InterstateError `ASK_TIMEOUT` and what {@link outcomeOf} throws. */
  wait(message: MessageId, timeoutMs: number): Promise<PlainObject | undefined> {
    return new Promise((resolve, reject) => {
      const timer = this.#env.setTimer(timeoutMs, () => this.#expire(message, waiter, timeoutMs))
      const waiter: Waiter = { resolve, reject, timer }
      this.#waiting.set(message, [...(this.#waiting.get(message) ?? []), waiter])
    })
  }

  /** Gives an answer to all who wait for it; `false` when nobody does. */
  answer(message: MessageId, answer: Answer): boolean {
    return this.#end(message, (waiter) => {
      try {
        waiter.resolve(outcomeOf(message, answer))
      } catch (error) {
        waiter.reject(error as InterstateError)
      }
    })
  }

  /** Who waits for one message waits for another instead: the one that its idempotency key stands for. */
  move(from: MessageId, to: MessageId): void {
    const waiters = this.#waiting.get(from)
    if (waiters === undefined || from === to) return
    this.#waiting.delete(from)
    this.#waiting.set(to, [...(this.#waiting.get(to) ?? []), ...waiters])
  }

  /** Ends the wait for a message that will not be answered here. */
  fail(message: MessageId, error: InterstateError): void {
    this.#end(message, (waiter) => waiter.reject(error))
  }

  /** Ends all waits: for messages that are durable and whose answers come when this host is gone. */
  failAll(reason: InterstateError): void {
    for (const message of [...this.#waiting.keys()]) {
      const what = `The host ended before a reply to ${message} came.`
      this.fail(message, new InterstateError('ASK_TIMEOUT', what, { message }, { cause: reason }))
    }
  }

  #end(message: MessageId, end: (waiter: Waiter) => void): boolean {
    const waiters = this.#waiting.get(message)
    if (waiters === undefined) return false
    this.#waiting.delete(message)
    for (const waiter of waiters) {
      this.#env.clearTimer(waiter.timer)
      end(waiter)
    }
    return true
  }

  #expire(message: MessageId, waiter: Waiter, timeoutMs: number): void {
    for (const [id, waiters] of this.#waiting) {
      if (!waiters.includes(waiter)) continue
      if (waiters.length > 1)
        this.#waiting.set(
          id,
          waiters.filter((each) => each !== waiter),
        )
      else this.#waiting.delete(id)
    }
    waiter.reject(
      new InterstateError('ASK_TIMEOUT', `No reply to ${message} within ${timeoutMs} ms.`, { message, timeoutMs }),
    )
  }
}

/**
 * What an answer means to the caller.
 * @throws InterstateError `MESSAGE_REFUSED` or `MESSAGE_DEAD_LETTERED`.
 */
export function outcomeOf(message: MessageId, answer: Answer): PlainObject | undefined {
  switch (answer.end) {
    case 'reply':
      return answer.reply
    case 'done':
      return undefined
    case 'refused':
      throw new InterstateError('MESSAGE_REFUSED', `${answer.why}.`, { message })
    case 'dead-letter':
      throw new InterstateError('MESSAGE_DEAD_LETTERED', `${message} was given up: ${answer.why}`, { message })
  }
}
