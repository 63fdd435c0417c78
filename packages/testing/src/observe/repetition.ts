// repetition.ts: tells a turn that is taken again, to see whether both agree, from a new one: it is to be told once.
import { turn, turnReads } from '@interstate/core'

/** See the file head. */
export class Repetition {
  #isAgain = false
  #message: unknown
  /** Where the last transition began. A birth makes a new snapshot each time, so that it has a name here. */
  #from: unknown
  #born: unknown

  /** Whether what runs was told before. */
  get isAgain(): boolean {
    return this.#isAgain
  }

  birth(): void {
    const wasBirth = this.#from === 'birth' || this.#from === 'after birth'
    this.#isAgain = this.#message === messageNow() && wasBirth
    // What follows the repeated birth is compared with what followed the first.
    if (!this.#isAgain) this.#begins('birth')
  }

  born(snapshot: unknown): void {
    this.#born = snapshot
  }

  transition(snapshot: unknown): void {
    const from = snapshot === this.#born ? 'after birth' : snapshot
    this.#isAgain = this.#message === messageNow() && this.#from === from
    this.#begins(from)
  }

  #begins(from: unknown): void {
    this.#message = messageNow()
    this.#from = from
  }
}

/** The message of the turn. That the kit looks does not count as the machine looking. */
function messageNow(): unknown {
  const { identity } = turnReads
  const { message } = turn()
  turnReads.identity = identity
  return message
}
