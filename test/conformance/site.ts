// site.ts: one store and the hosts that run on it one after the other, as a process and its successors do.
import type { Definition, StoreDriver } from '@interstate/core'
import { createHost, type Host, type HostOptions, type Policies, type Signal } from '@interstate/runtime'
import { VirtualEnv } from '@interstate/testing'
import { Gate } from './gate.ts'
import { alone, type OpenStore, type StoreUnderTest } from './stores.ts'

/** Tells the signals of one kind. */
type Named<S extends Signal['signal']> = Extract<Signal, { signal: S }>

/** See the file head. */
export class Site implements AsyncDisposable {
  /** One for all hosts, so that ids stay unique. */
  readonly env = new VirtualEnv()
  /** All that was told, by all hosts. */
  readonly signals: Signal[] = []
  readonly #opened: OpenStore
  #gate: Gate
  #host: Host | undefined

  constructor(kind: StoreUnderTest) {
    this.#opened = kind.open()
    this.#gate = new Gate(this.#opened.store)
  }

  /** The store of the present host: its writes can be held, failed and looked at. */
  get store(): Gate {
    return this.#gate
  }

  /** Starts a host; the one before, if there is one, is stopped first. */
  async host(entities: readonly Definition[], policies: Policies = {}, more: Partial<HostOptions> = {}): Promise<Host> {
    if (this.#host !== undefined) {
      await this.stop()
      this.#gate = new Gate(this.#opened.reopen())
    }
    const { env, store } = this
    this.#host = await createHost({
      entities,
      store,
      env,
      onSignal: (signal) => this.signals.push(signal),
      policies: { hangMs: false, ...policies },
      cluster: alone,
      ...more,
    })
    return this.#host
  }

  async stop(): Promise<void> {
    this.#gate.open()
    await this.#host?.stop()
  }

  /** Lets time pass until nothing is left to do, retries included. */
  async rest(): Promise<void> {
    let isAtRest = false
    const drained = this.#host?.drain().then(() => {
      isAtRest = true
    })
    for (let seconds = 0; !isAtRest && seconds < 300; seconds += 10) {
      await this.env.advance(0)
      if (!isAtRest) await this.env.advance(10_000)
    }
    if (!isAtRest) throw new Error('The host does not come to rest.')
    await drained
  }

  /** Works on the closed store by hand: forges rows, looks at what is stored. The next host finds what it left. */
  async byHand<T>(work: (store: StoreDriver) => Promise<T>): Promise<T> {
    await this.stop()
    const store = this.#host === undefined ? this.#opened.store : this.#opened.reopen()
    await store.probe()
    const result = await work(store)
    await store.close()
    this.#gate = new Gate(this.#opened.reopen())
    this.#host = undefined
    return result
  }

  /** Signals of one kind, in their order. */
  told<S extends Signal['signal']>(signal: S): Named<S>[] {
    return this.signals.filter((each): each is Named<S> => each.signal === signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    await this.#opened.dispose()
  }
}
