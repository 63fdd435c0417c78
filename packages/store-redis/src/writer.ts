// writer.ts: sends scripts to shards and keeps what they answer in mind.
//   W1  What a shard acknowledged raises its watermark, and goes with every further script to it (G15). At `replicated`
//       that is what a replica has: what none has a failover may unwrite, and nobody was told of it.
//   W2  At `replicated` nothing resolves before a replica has it (G8). Where none answered in time, the same scripts are
//       sent again, to whichever server holds the shard then: one that has them changes nothing, one that lost them
//       writes them. The last answers are the ones that stand.
import { InterstateError, type ShardId } from '@interstate/core'
import { type Clock, sleep } from './clock.ts'
import type { Command, Courier, Line } from './courier.ts'
import { type Answer, lostFinding, lostHistory } from './lost.ts'
import type { Names, ShardNames } from './names.ts'
import type { Scripts } from './scripts/index.ts'
import type { Script } from './scripts/script.ts'
import type { Watermarks } from './watermarks.ts'

/** What an acknowledged write survives. */
export type Durability = 'memory' | 'fsync' | 'replicated'

/** What an open store knows of itself. */
export interface Ground {
  readonly names: Names
  readonly scripts: Scripts
  readonly courier: Courier
  readonly watermarks: Watermarks
  readonly clock: Clock
  /** The mark that every shard record bears. */
  readonly store: string
  readonly durability: Durability
  readonly settleMs: number
}

/** One script for a shard: what comes behind the arguments that {@link Writer} gives. */
export interface Order {
  readonly script: Script
  readonly keys: (names: ShardNames) => readonly string[]
  readonly args: readonly (string | number)[]
  /** The newest epoch that the caller knows of. */
  readonly epoch?: number
  /** `ignore` for what is done no less well on a shard that went back. */
  readonly watermark?: 'ignore'
}

/** Scripts for one shard, in their order. */
export interface Orders {
  readonly shard: ShardId
  readonly orders: readonly Order[]
  readonly isDone?: (answer: unknown) => boolean
}

const firstPauseMs = 5
const longestPauseMs = 500

/** See the file head. */
export class Writer {
  readonly #ground: Ground

  constructor(ground: Ground) {
    this.#ground = ground
  }

  /** Gives the answers by shard and script, when they are as durable as the store promises. */
  async send(work: readonly Orders[]): Promise<readonly (readonly Answer[])[]> {
    const { clock, settleMs } = this.#ground
    const answers: (readonly Answer[])[] = []
    const deadline = clock.now() + settleMs
    let open = [...work.keys()]
    for (let pause = firstPauseMs; ; pause = Math.min(pause * 2, longestPauseMs)) {
      open = await this.#try(work, open, answers)
      if (open.length === 0) return answers
      if (clock.now() + pause > deadline) throw unconfirmed(open.map((line) => (work[line] as Orders).shard))
      await sleep(clock, pause)
    }
  }

  /** Sends lines of the work once, notes their answers, and gives those that no replica is known to have. */
  async #try(work: readonly Orders[], open: readonly number[], answers: (readonly Answer[])[]): Promise<number[]> {
    const { names, courier, durability, watermarks } = this.#ground
    const isReplicated = durability === 'replicated'
    const ordersAt = (index: number): Orders => work[open[index] as number] as Orders
    const lines = open.map((_, index): Line => {
      const { shard, orders, isDone } = ordersAt(index)
      const commands = orders.map((order) => this.#command(shard, order))
      return { slot: names.shard(shard).slot, commands, ...(isDone && { isDone }) }
    })
    const sync = (index: number): Command => this.#sync(ordersAt(index).shard, 0)
    const sent = await courier.send(lines, { writes: true, sync: isReplicated ? sync : undefined })
    const unsure: number[] = []
    for (const [index, line] of open.entries()) {
      const told = sent.answers[index] as readonly Answer[]
      answers[line] = told
      // A shard that took nothing says itself that it is lost, and must not take the word from those that took theirs.
      const taken = told.filter(([outcome]) => outcome !== 'lost')
      if (isReplicated && taken.length > 0 && !sent.replicated.has(index)) unsure.push(line)
      else for (const [, seq] of taken) watermarks.saw(ordersAt(index).shard, seq)
    }
    return unsure
  }

  /** Sends one script to each of these shards. Rejects where one of them has lost history. */
  async each(shards: readonly ShardId[], order: (shard: ShardId, index: number) => Order): Promise<readonly Answer[]> {
    const work = shards.map((shard, index): Orders => ({ shard, orders: [order(shard, index)] }))
    const answers = (await this.send(work)).map(([answer]) => answer as Answer)
    const lost = shards.flatMap((shard, index) => {
      const finding = lostFinding(shard, answers[index] as Answer)
      return finding === undefined ? [] : [[shard, finding] as const]
    })
    if (lost.length > 0) throw lostHistory(lost)
    return answers
  }

  /**
   * Resolves when a replica has everything that the servers of these shards have. What was read before stands if it is
   * still there when it is read again after that: the server may be another one now.
   */
  async confirm(shards: readonly ShardId[]): Promise<void> {
    if (this.#ground.durability !== 'replicated') return
    await this.each([...new Set(shards)], () => ({
      script: this.#ground.scripts.sync,
      keys: ({ record }) => [record],
      args: [],
    }))
  }

  #command(shard: ShardId, { script, keys, args, epoch = 0, watermark }: Order): Command {
    const { names, store, watermarks } = this.#ground
    const known = watermark === 'ignore' ? 0 : watermarks.known(shard)
    return { run: script, keys: keys(names.shard(shard)), args: [store, epoch, known, ...args] }
  }

  #sync(shard: ShardId, seq: number): Command {
    const { names, scripts, store } = this.#ground
    return { run: scripts.sync, keys: [names.shard(shard).record], args: [store, 0, seq] }
  }
}

function unconfirmed(shards: readonly ShardId[]): InterstateError {
  const what = `No replica has what shards ${shards.join(', ')} were given.`
  return new InterstateError('STORE_UNCERTAIN', what, { shards })
}
