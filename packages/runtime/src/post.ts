// post.ts: words between hosts: that a message waits in a shard, how a question was answered. Hints only: one that is lost
// costs time, for hosts look by themselves now and then, and whoever waits for an answer may ask again.
import type { Cluster, Env, HostId, MessageId, ShardId, TimerHandle } from '@interstate/core'
import type { Answer } from './answer.ts'
import type { Leases } from './leases.ts'

/** One word. Its JSON is what travels. */
interface Word {
  /** Something waits in these shards. */
  readonly news?: readonly ShardId[]
  /** The message of a client was answered. */
  readonly answer?: { readonly message: MessageId; readonly answer: Answer }
  /** Who runs what has changed. */
  readonly round?: true
}

/** What arrives, and who is to hear of what is left. */
export interface PostEvents {
  /** Who shall run a shard. */
  readonly assigned: (shard: ShardId) => HostId | null | undefined
  readonly news: (shards: readonly ShardId[]) => void
  readonly answer: (message: MessageId, answer: Answer) => void
  readonly round: () => void
}

/** See the file head. */
export class Post {
  readonly #cluster: Cluster
  readonly #self: HostId
  readonly #env: Env
  readonly #leases: Leases
  readonly #events: PostEvents
  readonly #news = new Map<HostId, Set<ShardId>>()
  readonly #words: { readonly to: HostId; readonly word: Word }[] = []
  #stopListening: (() => Promise<void>) | undefined
  #collecting = false
  #rungMeanwhile = false
  #timer: TimerHandle
  #isStopped = false

  constructor(cluster: Cluster, self: HostId, env: Env, leases: Leases, events: PostEvents) {
    this.#cluster = cluster
    this.#self = self
    this.#env = env
    this.#leases = leases
    this.#events = events
  }

  /** Listens, and looks every so often in case a ring is lost. */
  async start(lookMs: number): Promise<void> {
    this.#stopListening = await this.#cluster.listen(this.#self, () => void this.#collect())
    if (this.#isStopped) return this.stop()
    const look = (): void => {
      this.#timer = this.#env.setTimer(lookMs, () => {
        void this.#collect()
        look()
      })
    }
    look()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#env.clearTimer(this.#timer)
    const stopListening = this.#stopListening
    this.#stopListening = undefined
    await stopListening?.().catch(ignore)
  }

  /** Something waits in a shard that another host runs. */
  tellNews(shard: ShardId): void {
    // The lease may be unknown here, or of an owner before.
    for (const owner of new Set([this.#leases.known(shard)?.owner, this.#events.assigned(shard)])) {
      if (owner === undefined || owner === null || (owner as string) === '' || owner === this.#self) continue
      this.#news.set(owner, (this.#news.get(owner) ?? new Set()).add(shard))
    }
  }

  tellAnswer(to: HostId, message: MessageId, answer: Answer): void {
    this.#words.push({ to, word: { answer: { message, answer } } })
  }

  tellRound(to: Iterable<HostId>): void {
    for (const host of to) if (host !== this.#self) this.#words.push({ to: host, word: { round: true } })
  }

  /** Sends what was told. Nobody waits for it. */
  flush(): void {
    if (this.#news.size === 0 && this.#words.length === 0) return
    const words = this.#words.splice(0)
    for (const [to, shards] of this.#news) words.push({ to, word: { news: [...shards] } })
    this.#news.clear()
    const notes = words.map(({ to, word }) => ({ to, text: JSON.stringify(word) }))
    this.#cluster.notify(notes).catch(ignore)
  }

  async #collect(): Promise<void> {
    if (this.#isStopped) return
    if (this.#collecting) {
      this.#rungMeanwhile = true
      return
    }
    this.#collecting = true
    try {
      do {
        this.#rungMeanwhile = false
        for (const text of await this.#cluster.collect(this.#self)) this.#read(text)
      } while (this.#rungMeanwhile)
    } catch {
      // The next look finds it.
    } finally {
      this.#collecting = false
    }
  }

  /** What is no word of ours, another version may know. */
  #read(text: string): void {
    let word: Word
    try {
      word = (JSON.parse(text) ?? {}) as Word
    } catch {
      return
    }
    const { news, answer, round } = word
    if (Array.isArray(news)) this.#events.news(news.filter(Number.isInteger))
    if (typeof answer?.message === 'string' && answer.answer?.end !== undefined) {
      this.#events.answer(answer.message, answer.answer)
    }
    if (round === true) this.#events.round()
  }
}

const ignore = (): void => {}
