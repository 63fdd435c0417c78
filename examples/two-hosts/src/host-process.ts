// host-process.ts: a host as seen from outside: its process, its port, the shards that it says it runs.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { ShardId } from '@interstate/core'
import type { HostLife, HostNews } from './host.ts'

/** How a host is. */
export type HostState = 'starting' | 'alive' | 'killed' | 'stopped'

/** See the file head. */
export class HostProcess {
  readonly name: string
  /** Resolves when it takes visitors. */
  readonly open: Promise<void>
  readonly shards: Set<ShardId> = new Set<ShardId>()
  state: HostState = 'starting'
  /** Messages handled since it started. */
  handled = 0
  #port = 0
  readonly #child: ChildProcess
  readonly #samples: { readonly at: number; readonly handled: number }[] = []

  /** @param onTrouble - Hears why it can't go on. */
  constructor(name: string, life: HostLife, onTrouble: (why: string) => void) {
    this.name = name
    this.#child = fork(new URL('./host.ts', import.meta.url), [JSON.stringify(life)], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    const opening = Promise.withResolvers<void>()
    this.open = opening.promise
    this.#child.on('message', (news: HostNews) => {
      if (this.state === 'killed') return
      if (news.news === 'trouble') onTrouble(news.text)
      this.#note(news)
      if (news.news === 'open') opening.resolve()
    })
    this.#child.on('exit', (code, signal) => {
      if (this.state === 'killed' || this.state === 'stopped') return
      onTrouble(`Host ${name} ended by itself: ${signal ?? `exit status ${code}`}.`)
    })
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** Messages a second, over the last second. */
  get perSecond(): number {
    if (this.state !== 'alive') return 0
    const [first] = this.#samples
    const last = this.#samples.at(-1)
    if (first === undefined || last === undefined || last.at === first.at) return 0
    return Math.round(((last.handled - first.handled) * 1_000) / (last.at - first.at))
  }

  /** Ends it as a power cut would. */
  kill(): void {
    this.state = 'killed'
    this.#child.kill('SIGKILL')
  }

  /** Lets it hand over its shards. */
  async stop(): Promise<void> {
    const gone = once(this.#child, 'exit')
    this.state = 'stopped'
    this.#child.send('stop')
    await gone
  }

  #note(news: HostNews): void {
    switch (news.news) {
      case 'open':
        this.#port = news.port
        this.state = 'alive'
        break
      case 'taken':
        for (const shard of news.shards) this.shards.add(shard)
        break
      case 'dropped':
        for (const shard of news.shards) this.shards.delete(shard)
        break
      case 'handled':
        this.handled = news.messages
        this.#samples.push({ at: performance.now(), handled: news.messages })
        if (this.#samples.length > 11) this.#samples.shift()
    }
  }
}
