// gate.ts: a store whose writes a test can hold back, fail, and look at.
import type { Group, GroupResult, StoreDriver } from '@interstate/core'

/** See the file head. Everything but `write` goes straight through. */
export class Gate {
  /** Groups that were written, in their order. */
  readonly written: Group[] = []
  readonly #store: StoreDriver
  readonly #failures: (Error | undefined)[] = []
  #waiting: (() => void)[] = []
  #isHeld = false

  constructor(store: StoreDriver) {
    this.#store = store
  }

  /** Holds every write from now on, before the store hears of it. */
  hold(): void {
    this.#isHeld = true
  }

  /** Lets what was held go on. */
  open(): void {
    this.#isHeld = false
    for (const go of this.#waiting.splice(0)) go()
  }

  /** Lets the oldest of what is held go on. */
  openOne(): void {
    this.#waiting.shift()?.()
  }

  /** How many writes are held. */
  get held(): number {
    return this.#waiting.length
  }

  /** The next writes reject with these, and change nothing; one for which there is none goes through. */
  fail(...errors: readonly (Error | undefined)[]): void {
    this.#failures.push(...errors)
  }

  async write(group: Group): Promise<GroupResult> {
    if (this.#isHeld) await new Promise<void>((go) => this.#waiting.push(go))
    const failure = this.#failures.shift()
    if (failure !== undefined) throw failure
    this.written.push(group)
    return this.#store.write(group)
  }

  get lanes() {
    return this.#store.lanes
  }
  get cluster() {
    return this.#store.cluster
  }
  get name() {
    return this.#store.name
  }
  get scope() {
    return this.#store.scope
  }
  get shards() {
    return this.#store.shards
  }
  get limits() {
    return this.#store.limits
  }

  probe: StoreDriver['probe'] = () => this.#store.probe()
  acquire: StoreDriver['acquire'] = (...args) => this.#store.acquire(...args)
  survived: StoreDriver['survived'] = (...args) => this.#store.survived(...args)
  release: StoreDriver['release'] = (...args) => this.#store.release(...args)
  load: StoreDriver['load'] = (...args) => this.#store.load(...args)
  inbox: StoreDriver['inbox'] = (...args) => this.#store.inbox(...args)
  inboxOf: StoreDriver['inboxOf'] = (...args) => this.#store.inboxOf(...args)
  due: StoreDriver['due'] = (...args) => this.#store.due(...args)
  nextDue: StoreDriver['nextDue'] = (...args) => this.#store.nextDue(...args)
  unsettled: StoreDriver['unsettled'] = (...args) => this.#store.unsettled(...args)
  keys: StoreDriver['keys'] = (...args) => this.#store.keys(...args)
  purge: StoreDriver['purge'] = (...args) => this.#store.purge(...args)
  deadLetters: StoreDriver['deadLetters'] = (...args) => this.#store.deadLetters(...args)
  deadLetter: StoreDriver['deadLetter'] = (...args) => this.#store.deadLetter(...args)
  requeue: StoreDriver['requeue'] = (...args) => this.#store.requeue(...args)
  close: StoreDriver['close'] = () => this.#store.close()
}
