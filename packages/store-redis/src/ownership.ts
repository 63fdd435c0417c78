// ownership.ts: who runs each shard, and under which epoch.
import { randomUUID } from 'node:crypto'
import type { Acquired, HostId, Lease, ShardId } from '@interstate/core'
import type { Ground, Order, Writer } from './writer.ts'

/** See the file head. */
export class Ownership {
  readonly #ground: Ground
  readonly #writer: Writer

  constructor(ground: Ground, writer: Writer) {
    this.#ground = ground
    this.#writer = writer
  }

  async acquire(owner: HostId, shards: readonly ShardId[], handover: readonly ShardId[]): Promise<Acquired> {
    const tag = randomUUID()
    const { acquire: script } = this.#ground.scripts
    const friendly = new Set(handover)
    // One that is lost must not leave the others taken: whoever asked would not know of it.
    await this.#writer.each(shards, () => this.#look())
    const answers = await this.#writer.each(shards, (shard): Order => {
      const args = [owner, tag, friendly.has(shard) ? 1 : 0]
      return { script, keys: ({ record, attempts }) => [record, attempts], args }
    })
    const leases = shards.map((shard, index): Lease => ({ shard, epoch: Number(answers[index]?.[2]), owner }))
    return { leases, crashes: Math.max(0, ...answers.map((answer) => Number(answer[3]))) }
  }

  async survived(owner: HostId): Promise<void> {
    const { names, scripts } = this.#ground
    const shards = names.shards.map(({ shard }) => shard)
    const keys: Order['keys'] = ({ record }) => [record]
    const work = shards.map((shard) => ({
      shard,
      orders: [{ script: scripts.survived, keys, args: [owner], watermark: 'ignore' as const }],
    }))
    // A shard that is lost has nobody to survive on it.
    await this.#writer.send(work)
  }

  async release(leases: readonly Lease[]): Promise<void> {
    const { release: script } = this.#ground.scripts
    const keys: Order['keys'] = ({ record }) => [record]
    const work = leases.map(({ shard, epoch }) => ({
      shard,
      orders: [{ script, keys, args: [epoch], watermark: 'ignore' as const }],
    }))
    await this.#writer.send(work)
  }

  /** Whether the shard still has its history. */
  #look(): Order {
    return { script: this.#ground.scripts.sync, keys: ({ record }) => [record], args: [] }
  }
}
