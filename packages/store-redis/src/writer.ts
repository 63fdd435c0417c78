// writer.ts: sends scripts to shards and keeps what they answer in mind.
//   W1  What a shard acknowledged raises its watermark, and goes with every further script to it (G15).
//   W2  At `replicated` nothing resolves before a replica has it (G8). One that did not answer in time is asked again, on
//       whichever server holds the shard then, together with whether that one has what was acknowledged.
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

/** See the file head. */
export class Writer {
  readonly #ground: Ground

  constructor(ground: Ground) {
    this.#ground = ground
  }

  /** Gives the answers by shard and script, when they are as durable as the store promises. */
  async send(work: readonly Orders[]): Promise<readonly (readonly Answer[])[]> {
    const { names, courier, durability } = this.#ground
    const lines = work.map(({ shard, orders, isDone }): Line => {
      const commands = orders.map((order) => this.#command(shard, order))
      return { slot: names.shard(shard).slot, commands, ...(isDone && { isDone }) }
    })
    const isReplicated = durability === 'replicated'
    const sync = (line: number): Command => this.#sync((work[line] as Orders).shard, 0)
    const sent = await courier.send(lines, { writes: true, sync: isReplicated ? sync : undefined })
    const answers = sent.answers as readonly (readonly Answer[])[]
    const unsure: ShardId[] = []
    for (const [line, { shard }] of work.entries()) {
      for (const answer of answers[line] ?? []) if (answer[0] !== 'lost') this.#ground.watermarks.saw(shard, answer[1])
      if (!sent.replicated.has(line)) unsure.push(shard)
    }
    if (isReplicated) await this.confirm(unsure)
    return answers
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

  /** Resolves when a replica has everything that these shards acknowledged (W2). */
  async confirm(shards: readonly ShardId[]): Promise<void> {
    const { names, courier, clock, settleMs, watermarks, durability } = this.#ground
    if (durability !== 'replicated') return
    let open = [...new Set(shards)]
    const deadline = clock.now() + settleMs
    for (let pause = 5; open.length > 0; pause = Math.min(pause * 2, 500)) {
      const lines = open.map((shard): Line => {
        return { slot: names.shard(shard).slot, commands: [this.#sync(shard, watermarks.known(shard))] }
      })
      const sync = (line: number): Command => this.#sync(open[line] as ShardId, 0)
      const { answers, replicated } = await courier.send(lines, { writes: true, sync })
      const lost = open.flatMap((shard, line) => {
        const finding = lostFinding(shard, answers[line]?.[0] as Answer)
        return finding === undefined ? [] : [[shard, finding] as const]
      })
      if (lost.length > 0) throw lostHistory(lost)
      open = open.filter((_, line) => !replicated.has(line))
      if (open.length === 0) return
      if (clock.now() + pause > deadline) {
        const what = `No replica has what shards ${open.join(', ')} acknowledged.`
        throw new InterstateError('STORE_UNCERTAIN', what, { shards: open })
      }
      await sleep(clock, pause)
    }
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
