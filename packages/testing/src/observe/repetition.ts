// repetition.ts: tells a turn that is taken again, to see whether both agree, from a new one: it is to be told once.
import { turn, turnReads } from '@interstate/core'
import type { AnyMachineSnapshot } from 'xstate'

/** See the file head. */
export class Repetition {
  #isAgain = false
  #message: unknown
  #from: Origin | undefined
  #born: Snapshot | undefined

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

  born(snapshot: Snapshot): void {
    this.#born = snapshot
  }

  transition(snapshot: Snapshot): void {
    const from = snapshot === this.#born ? 'after birth' : snapshot
    this.#isAgain = this.#message === messageNow() && isSame(from, this.#from)
    this.#begins(from)
  }

  #begins(from: Origin): void {
    this.#message = messageNow()
    this.#from = from
  }
}

type Snapshot = Pick<AnyMachineSnapshot, 'context' | '_nodes'>
/** Where a transition begins. A birth makes a new snapshot each time, so that it has a name here. */
type Origin = 'birth' | 'after birth' | Snapshot

/** The end of an effect is taken on a copy of the snapshot that has lost a child. */
function isSame(one: Origin, two: Origin | undefined): boolean {
  if (typeof one === 'string' || typeof two === 'string' || two === undefined) return one === two
  return one.context === two.context && one._nodes === two._nodes
}

/** The message of the turn. That the kit looks does not count as the machine looking. */
function messageNow(): unknown {
  const { identity } = turnReads
  const { message } = turn()
  turnReads.identity = identity
  return message
}
