// proxy.ts: a bad network in front of a Redis server: it cuts, delays, and swallows.
//   N1  Bytes stay in order and none is lost on a connection that lives: what is held back comes when the network heals.
//   N2  A cut after n requests: the server has handled exactly these n, and no client saw an answer to one of them.
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { Connection, type Fate, type Network } from './connection.ts'

/** What is held back: what goes to the server, what comes from it, or both. */
export type Direction = 'requests' | 'answers' | 'both'

/** A cut to come. */
interface Cut {
  requestsLeft: number
  answersLeft: number
  readonly done: () => void
}

/** A cut waits this long for answers: a blocking request may have none for ages. */
const patienceMs = 1_000

/**
 * Starts a proxy in front of a server on this machine; clients connect to the proxy's `port`. For a cluster start one for
 * each node, and give the client a `natMap` from each node's address to its proxy's.
 */
export async function startProxy(target: number): Promise<RedisProxy> {
  const door = createServer({ noDelay: true }).listen(0, '127.0.0.1')
  await once(door, 'listening')
  return new RedisProxy(door, target)
}

/** See the file head. */
export class RedisProxy implements AsyncDisposable {
  readonly port: number
  readonly #door: Server
  readonly #target: number
  readonly #connections = new Set<Connection>()
  #delayMs = 0
  #held: Direction | undefined
  #isRefusing = false
  #cut: Cut | undefined

  /** @internal Use {@link startProxy}. */
  constructor(door: Server, target: number) {
    this.port = (door.address() as AddressInfo).port
    this.#door = door
    this.#target = target
    door.on('connection', (client: Socket) => this.#welcome(client))
  }

  /** How many connections are open. */
  get connections(): number {
    return this.#connections.size
  }

  /** Cuts all connections now. Requests on the way may reach the server or not. */
  cut(): void {
    for (const connection of this.#connections) connection.cut()
  }

  /**
   * Cuts all connections after so many more requests, counted over all of them, were handled by the server and before
   * their answers come back (N2). With 0 the next request doesn't reach the server. Resolves when that has happened.
   */
  cutAfter(requests: number): Promise<void> {
    if (this.#cut !== undefined) throw new Error('A cut is on its way already.')
    return new Promise((done) => {
      this.#cut = { requestsLeft: requests, answersLeft: requests, done }
    })
  }

  /** From now on everything takes so long in each direction. */
  delay(milliseconds: number): void {
    this.#delayMs = milliseconds
  }

  /** Connections stay open, new ones too, and nothing comes through, until {@link heal}. */
  blackHole(direction: Direction = 'both'): void {
    this.#held = direction
  }

  /** Cuts all connections and lets nobody in, until {@link heal}. */
  refuse(): void {
    this.#isRefusing = true
    this.cut()
  }

  /** A good network again: what was held back goes on. A cut to come still comes. */
  heal(): void {
    this.#delayMs = 0
    this.#held = undefined
    this.#isRefusing = false
    for (const connection of this.#connections) connection.flow()
  }

  async stop(): Promise<void> {
    if (this.#cut !== undefined) this.#finish(this.#cut)
    this.cut()
    if (!this.#door.listening) return
    this.#door.close()
    await once(this.#door, 'close')
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  #welcome(client: Socket): void {
    if (this.#isRefusing) {
      client.resetAndDestroy()
      return
    }
    const network: Network = {
      requests: () => ({ delayMs: this.#delayMs, isHeld: this.#held === 'requests' || this.#held === 'both' }),
      answers: () => ({ delayMs: this.#delayMs, isHeld: this.#held === 'answers' || this.#held === 'both' }),
      fateOfNext: () => this.#fateOfNext(),
      doomedIsAnswered: () => this.#doomedIsAnswered(),
      closed: () => this.#connections.delete(connection),
    }
    const connection = new Connection(client, this.#target, network)
    this.#connections.add(connection)
  }

  #fateOfNext(): Fate {
    if (this.#cut === undefined) return 'pass'
    if (this.#cut.requestsLeft === 0) {
      if (this.#cut.answersLeft === 0) this.#finish(this.#cut)
      return 'swallowed'
    }
    this.#cut.requestsLeft -= 1
    if (this.#cut.requestsLeft === 0) setTimeout((cut: Cut) => this.#finish(cut), patienceMs, this.#cut).unref()
    return 'doomed'
  }

  #doomedIsAnswered(): void {
    if (this.#cut === undefined) return
    this.#cut.answersLeft -= 1
    if (this.#cut.answersLeft === 0) this.#finish(this.#cut)
  }

  #finish(cut: Cut): void {
    if (this.#cut !== cut) return
    this.#cut = undefined
    this.cut()
    cut.done()
  }
}
