// dispatch.ts: sends on what was written where hosts share a store: into memory, along a lane, or with a word to whoever runs the shard.
import type { Envelope, Group, GroupResult, HostId, MessageId, Placed, ShardId, StoredMessage } from '@interstate/core'
import type { Answer } from './answer.ts'
import type { Arrived, Courier } from './courier.ts'
import type { Fold } from './fold.ts'
import type { Leases } from './leases.ts'
import type { Loader } from './loader.ts'
import type { Post } from './post.ts'
import type { Item } from './resident.ts'

/** The parts of a host between which messages are sent on. */
export interface DispatchContext {
  readonly leases: Leases
  readonly loader: Loader
  readonly courier: Courier
  readonly post: Post
}

/** See the file head. */
export class Dispatch {
  readonly #context: DispatchContext
  /** Messages of the present group that wait in inboxes of this host and follow what is in memory. */
  readonly #kept = new Set<MessageId>()

  constructor(context: DispatchContext) {
    this.#context = context
  }

  /** Takes note of where everything stands that a group has written. @param folds - Behind its commits. */
  written(group: Group | undefined, result: GroupResult | undefined, folds: readonly Fold[]): void {
    this.#kept.clear()
    if (group === undefined || result === undefined) return
    const refused = new Set<MessageId>(result.fenced)
    for (const { key, message, others = [] } of group.registrations) {
      if (result.taken.includes(key)) for (const each of [message, ...others]) refused.add(each)
    }
    for (const [index, message] of group.accepted.entries()) {
      if (!refused.has(message.id)) this.#place(message, message.entry ?? message.shard, result.placed?.[index])
    }
    for (const [index, { lease, outbox }] of group.commits.entries()) {
      const outcome = result.results[index]
      if (outcome?.outcome !== 'committed' && outcome?.outcome !== 'already applied') continue
      const placed = outcome.outcome === 'committed' ? outcome.placed : undefined
      const envelopes = folds[index]?.outbox
      for (const [each, message] of outbox.entries()) {
        this.#place(message, lease.shard, placed?.[each], envelopes?.[each])
      }
    }
  }

  /** Whether a message of the present group goes into memory. */
  keeps(item: Item): boolean {
    return this.#kept.has(item.envelope.id)
  }

  /** Messages came along lanes. */
  arrived(rows: readonly Arrived[]): void {
    const { leases, loader, post } = this.#context
    for (const row of rows) {
      if (leases.has(row.shard)) loader.receive(row)
      else post.tellNews(row.shard)
    }
  }

  tellAnswer(to: HostId, message: MessageId, answer: Answer): void {
    this.#context.post.tellAnswer(to, message, answer)
  }

  /** Sends the words that came up. */
  flush(): void {
    this.#context.post.flush()
  }

  #place(message: StoredMessage, from: ShardId, placed: Placed | undefined, envelope?: Envelope): void {
    const { leases, loader, courier, post } = this.#context
    if (placed === undefined) {
      // Written by an attempt whose answer was lost: it stands where the store says.
      loader.look(message.shard)
      courier.look(leases.has(from) ? [from] : [])
    } else if ('position' in placed) {
      if (this.#follows(message.shard, placed.position)) this.#kept.add(message.id)
    } else if (leases.has(from)) courier.send(from, { ...message, ...placed, envelope })
    else post.tellNews(from)
  }

  #follows(shard: ShardId, position: number): boolean {
    const { leases, loader, post } = this.#context
    if (leases.has(shard)) return loader.follows(shard, position)
    post.tellNews(shard)
    return false
  }
}
