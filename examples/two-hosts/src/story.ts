// story.ts: the three acts: two hosts share the work; one dies and the other takes over; it comes back.
import { setTimeout } from 'node:timers/promises'
import type { StoreDriver } from '@interstate/core'
import type { StoryEvent } from './events.ts'
import type { Totals } from './host.ts'
import { HostProcess } from './host-process.ts'
import { openStore, type Place, shards } from './store.ts'
import { Visitors } from './visitors.ts'

/** What is told. */
export interface StoryOptions {
  readonly place: Place
  readonly detectMs: number
  /** How long each act goes on after what it shows. */
  readonly actMs: number
  readonly tell: (event: StoryEvent) => void
}

const theEnd = 'The end'
const lookMs = 50
const patienceMs = 60_000

/** See the file head. */
export class Story {
  readonly hosts: HostProcess[] = []
  readonly visitors: Visitors
  act = 'The hosts start'
  /** As last looked at. */
  totals: Totals = { doors: 0, halls: 0 }
  /** Whether every look so far was right. */
  right = true
  readonly #options: StoryOptions
  readonly #store: StoreDriver
  readonly #disconnect: () => void
  readonly #openedAt = Date.now()
  readonly #failure = Promise.withResolvers<never>()
  #looks = 0

  constructor(options: StoryOptions) {
    this.#options = options
    const { store, disconnect } = openStore(options.place)
    this.#store = store
    this.#disconnect = disconnect
    this.visitors = new Visitors(() => this.#alive)
    this.#failure.promise.catch(() => {})
  }

  /** Whether the store is there and will do; rejects with why not. */
  async check(): Promise<void> {
    const failed = (await this.#store.probe()).filter(({ passed }) => !passed)
    if (failed.length > 0) throw new Error(failed.map(({ finding }) => finding).join(' '))
  }

  /** @returns Whether all was right. */
  async run(): Promise<boolean> {
    return Promise.race([this.#run(), this.#failure.promise])
  }

  /** Leaves nothing running. A story that broke off has no time for good manners. */
  async end(): Promise<void> {
    if (this.act === theEnd) await Promise.all(this.#alive.map((host) => host.stop()))
    else for (const host of this.hosts) host.kill()
    await this.#store.close()
    this.#disconnect()
  }

  async #run(): Promise<boolean> {
    const { tell } = this.#options
    const [a, b] = [this.#start('A'), this.#start('B')]
    await Promise.all([a.open, b.open])
    void this.#lookNowAndThen()
    await this.#share(a, b)
    await this.#takeOver(a, b)
    await this.#giveBack(a)
    this.act = theEnd
    const right = this.right && this.totals.halls === this.visitors.admitted
    const { admitted, repeated } = this.visitors
    tell({ event: 'summary', right, admitted, totals: this.totals, repeated, looks: this.#looks })
    return right
  }

  async #share(a: HostProcess, b: HostProcess): Promise<void> {
    const { tell, actMs } = this.#options
    this.act = 'Two hosts share the work'
    await until(() => b.shards.size > 0 && a.shards.size + b.shards.size === shards)
    tell({ event: 'sharing', shards: { A: a.shards.size, B: b.shards.size } })
    this.visitors.come()
    await setTimeout(actMs)
    await this.#count()
  }

  async #takeOver(a: HostProcess, b: HostProcess): Promise<void> {
    const { tell, actMs } = this.#options
    this.act = 'B dies, and A takes over'
    this.visitors.come()
    await setTimeout(actMs / 2)
    const begin = performance.now()
    b.kill()
    tell({ event: 'killed', host: 'B', shards: b.shards.size })
    await until(async () => (await this.#store.cluster?.view())?.hosts.length === 1)
    tell({ event: 'missed', host: 'B', afterMs: Math.round(performance.now() - begin) })
    await until(() => a.shards.size === shards)
    tell({ event: 'taken-over', by: 'A', shards, afterMs: Math.round(performance.now() - begin) })
    await setTimeout(actMs / 2)
    await this.#count()
  }

  async #giveBack(a: HostProcess): Promise<void> {
    const { tell, actMs } = this.#options
    this.act = 'B comes back, and A gives shards back'
    this.visitors.come()
    const begin = performance.now()
    const b = this.#start('B')
    tell({ event: 'back', host: 'B' })
    await b.open
    await until(() => b.shards.size > 0 && a.shards.size + b.shards.size === shards)
    tell({ event: 'given-back', host: 'B', shards: b.shards.size, afterMs: Math.round(performance.now() - begin) })
    await setTimeout(actMs)
    await this.#count()
  }

  #start(name: string): HostProcess {
    const { place, detectMs } = this.#options
    const life = { ...place, detectMs, openedAt: this.#openedAt }
    const host = new HostProcess(name, life, (why) => this.#failure.reject(new Error(why)))
    const before = this.hosts.findIndex((each) => each.name === name)
    if (before === -1) this.hosts.push(host)
    else this.hosts[before] = host
    return host
  }

  get #alive(): readonly HostProcess[] {
    return this.hosts.filter(({ state }) => state === 'alive')
  }

  /** Nobody comes while it is counted: then doors and halls must have exactly those who were admitted. */
  async #count(): Promise<void> {
    await this.visitors.pause()
    const { admitted } = this.visitors
    const isRight = ({ doors, halls }: Totals): boolean => doors === admitted && halls === admitted
    await until(async () => isRight(await this.#look())).catch(() => {})
    const right = isRight(this.totals)
    this.right &&= right
    this.#options.tell({ event: 'counted', admitted, totals: this.totals, right })
  }

  /** Whatever happens, nobody is in a hall who was not at a door, and nobody was at a door who never came. */
  async #lookNowAndThen(): Promise<void> {
    while (this.act !== theEnd) {
      await this.#look().catch(() => {})
      await setTimeout(200)
    }
  }

  async #look(): Promise<Totals> {
    const [host] = this.#alive
    if (host === undefined) return this.totals
    const response = await fetch(`${host.url}/totals`)
    const totals = (await response.json()) as Totals
    const { doors, halls } = totals
    this.#looks += 1
    this.right &&= halls <= doors && doors <= this.visitors.came
    this.totals = totals
    return totals
  }
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + patienceMs; performance.now() < deadline; await setTimeout(lookMs)) {
    if (await condition()) return
  }
  throw new Error(`It did not come about within ${patienceMs / 1_000} s.`)
}
