// client.ts: one life of a host and its client: opens the store, sends what it was told to, until the end, if it comes.
//   C1  What is acknowledged is noted in a file outside of the store before anything else follows from it.
//   C2  It knows nothing of the lives before it but what it is told: the client repeats, the host recovers.
import { closeSync, openSync, writeSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { InterstateError, idempotencyKey, type StoreDriver } from '@interstate/core'
import { createHost, type Host } from '@interstate/runtime'
import { openCarrier } from './carrier.ts'
import type { Files } from './files.ts'
import { unfinished } from './outcome.ts'
import { restOf } from './rest.ts'
import { openStore } from './stores.ts'
import { Desk, desk, deskOf, Guest, handsPerDesk, systemWith } from './system.ts'

/** What a life is told. */
export interface Life {
  readonly files: Files
  /** Names the life; its guest signs without keys. */
  readonly name: string
  /** Hands to be sent, in this order. */
  readonly sends: readonly number[]
  /** Of these, what was acknowledged in an earlier life. */
  readonly repeats: readonly number[]
  /** How many are under way at the same time. */
  readonly atOnce: number
  /** Then it waits to be killed, or until so many hands have come to their end, and stops. */
  readonly finish: number | 'never'
}

/** Says how it goes, line by line. */
export type Say = (line: string) => void

// On a store for many hosts: the host that was killed is silent for so long before this one has all of its shards.
const detectMs = 250
const lookMs = 100

/** See the file head. It returns only if it was told to finish. */
export async function live(life: Life, say: Say): Promise<void> {
  const notes = openSync(life.files.notes, 'a')
  const note = (line: string): void => void writeSync(notes, `${line}\n`)
  note(`life ${life.name}`)
  const { entities } = systemWith(openCarrier(life.files.ledger))
  const { store, disconnect } = await openStore(life.files.store)
  const host = await createHost({
    entities,
    store,
    cluster: { detectMs, lookMs },
    onSignal: (signal) => {
      if (signal.signal === 'started') say(`started ${signal.crashes}`)
      if (signal.signal === 'shards-taken') say(`taken ${signal.crashes}`)
      if (signal.signal === 'store-failed') say(`failed ${signal.error.code}`)
    },
  })
  await new Client(host, life, note, say).sendAll()
  say('sent')
  if (life.finish === 'never') return forever()
  await finish(host, store, life.finish)
  await host.stop()
  disconnect()
  closeSync(notes)
  say('finished')
}

class Client {
  readonly #host: Host
  readonly #life: Life
  readonly #note: Say
  readonly #say: Say

  constructor(host: Host, life: Life, note: Say, say: Say) {
    this.#host = host
    this.#life = life
    this.#note = note
    this.#say = say
  }

  async sendAll(): Promise<void> {
    const { sends, repeats, atOnce } = this.#life
    const known = new Set(repeats)
    const rest = sends.entries()
    const sendRest = async (): Promise<void> => {
      for (const [index, n] of rest) {
        if (index % 5 === 0) await this.#sign(index)
        if (known.has(n)) await this.#sendAgain(n)
        else await this.#sendOnce(n, index % 2 === 0 ? 'ask' : 'send')
        this.#say(`noted ${n}`)
      }
    }
    await Promise.all(Array.from({ length: atOnce }, sendRest))
  }

  /** A message without a key: it may be sent again only because what was refused is not stored. */
  async #sign(n: number): Promise<void> {
    const { name } = this.#life
    await this.#insist(() => this.#host.send(Guest.at(name), { type: 'Sign', n }))
    this.#note(`sign ${name} ${n}`)
  }

  async #sendOnce(n: number, how: 'ask' | 'send'): Promise<void> {
    const { to, command, options } = handOf(n)
    if (how === 'ask') return this.#ask(n)
    await this.#insist(() => this.#host.send(to, command, options))
    this.#note(`hand ${n}`)
  }

  /** What was acknowledged must be known, and have the reply that it had (G10). */
  async #sendAgain(n: number): Promise<void> {
    const { to, command, options } = handOf(n)
    const { duplicate } = await this.#insist(() => this.#host.send(to, command, options))
    this.#note(`${duplicate ? 'known' : 'forgotten'} ${n}`)
    await this.#ask(n)
  }

  async #ask(n: number): Promise<void> {
    const { to, command, options } = handOf(n)
    const reply = await this.#insist(() => this.#host.ask(to, command, options))
    this.#note(`hand ${n} ${reply?.place}`)
  }

  /** Calls again while the store has no room. */
  async #insist<T>(call: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await call()
      } catch (error) {
        if (!(error instanceof InterstateError)) throw error
        // A host that was told to stop refuses what comes too late, and the replies that it still waits for are for others
        // to give; it is for the next life.
        const cause = error.cause instanceof InterstateError ? error.cause : error
        if (cause.code === 'HOST_STOPPED') return forever()
        if (error.code !== 'STORE_FULL') throw error
        this.#say(`refused ${error.code}`)
        await setTimeout(20)
      }
    }
  }
}

function handOf(n: number) {
  return {
    to: Desk.at(deskOf(n)),
    command: { type: 'Hand', n } as const,
    options: { idempotencyKey: idempotencyKey(`hand-${n}`, { at: 1_750_000_000_000 + n }) },
  }
}

/**
 * Waits until timers have fired, effects have come back, and what the host before left in its shards is done; without end,
 * but not without progress.
 */
async function finish(host: Host, store: StoreDriver, hands: number): Promise<void> {
  const patienceMs = 5_000
  let waiting = Array.from({ length: Math.ceil(hands / handsPerDesk) }, (_, number) => `d${number}`)
  let turns = -1
  let since = performance.now()
  while (performance.now() - since < patienceMs) {
    await host.drain()
    const views = await Promise.all(waiting.map((key) => host.read(desk.at(key))))
    waiting = waiting.filter((key, index) => unfinished(key, views[index]?.context, hands).length > 0)
    if (waiting.length === 0 && (await restOf(store)).length === 0) return
    if (turnsOf(host) !== turns) since = performance.now()
    turns = turnsOf(host)
    await setTimeout(5)
  }
}

function turnsOf(host: Host): number {
  return Object.values(host.counters().turns).reduce((sum, count) => sum + count, 0)
}

/** Keeps the process alive until somebody ends it. */
function forever(): Promise<never> {
  return setTimeout(2 ** 31 - 1).then(forever)
}
