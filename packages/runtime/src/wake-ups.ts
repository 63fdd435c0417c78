// wake-ups.ts: gives entities a turn when a timer of theirs is due, or a failed message is to be tried again.
// The store's index knows who; here is only the next time at which to look.
import {
  type Env,
  type MessageId,
  type ShardId,
  type StoreDriver,
  type TimerHandle,
  timeoutsOf,
} from '@interstate/core'
import type { Leases } from './leases.ts'
import { Item, type Resident } from './resident.ts'
import type { Residents } from './residents.ts'

const page = 256
/** Look at the clock at least so often: it may have been stepped forward. */
const longestMs = 60_000

/** See the file head. */
export class WakeUps {
  readonly #env: Env
  readonly #store: StoreDriver
  readonly #residents: Residents
  readonly #leases: Leases
  readonly #load: (wanted: readonly Resident[]) => Promise<void>
  readonly #ring: () => void
  #next: number | undefined
  #timer: TimerHandle

  constructor(
    env: Env,
    store: StoreDriver,
    residents: Residents,
    leases: Leases,
    load: (wanted: readonly Resident[]) => Promise<void>,
    ring: () => void,
  ) {
    this.#env = env
    this.#store = store
    this.#residents = residents
    this.#leases = leases
    this.#load = load
    this.#ring = ring
  }

  /** Finds the first time at which to look after shards. */
  async start(shards: readonly ShardId[]): Promise<void> {
    this.note(await this.#store.nextDue(shards, 0))
  }

  /** Whether somebody is due. */
  get due(): boolean {
    return this.#next !== undefined && this.#next <= this.#env.now()
  }

  /** Notes that somebody wants to wake at this time. */
  note(at: number | undefined): void {
    if (at === undefined || (this.#next !== undefined && this.#next <= at)) return
    this.#next = at
    this.#set()
  }

  stop(): void {
    if (this.#timer !== undefined) this.#env.clearTimer(this.#timer)
    this.#timer = undefined
    this.#next = undefined
  }

  /** Lets everybody who is due have a turn. */
  async wake(): Promise<void> {
    const now = this.#env.now()
    // Those that are held stay due and at the front; they must not hide the others.
    const limit = page + this.#residents.stuck()
    const rows = await this.#store.due(this.#leases.shards, now, limit)
    const due = rows.map(({ entity }) => this.#residents.get(entity))
    const unloaded = due.filter(({ phase }) => phase === 'unloaded')
    if (unloaded.length > 0) await this.#load(unloaded)
    for (const resident of due) this.#wakeOne(resident, now)
    this.#next = rows.length === limit ? now : await this.#store.nextDue(this.#leases.shards, now)
    this.#set()
  }

  #wakeOne(resident: Resident, now: number): void {
    const { trouble } = resident
    if (resident.phase === 'waiting' && trouble !== undefined && (trouble.retryAt ?? 0) <= now) {
      resident.phase = 'ready'
      resident.trouble = { ...trouble, retryAt: undefined }
      this.#residents.list(resident)
    }
    if (resident.phase !== 'ready' || resident.state === undefined) return
    for (const timeout of timeoutsOf(resident.state, now)) {
      if (isQueued(resident, timeout.id)) continue
      const item = new Item(timeout)
      item.queued = true
      resident.queue.push(item)
    }
    if (resident.queue.length > 0 || resident.spilled) this.#residents.list(resident)
  }

  #set(): void {
    if (this.#timer !== undefined) this.#env.clearTimer(this.#timer)
    this.#timer = undefined
    if (this.#next === undefined) return
    this.#lookAfter(this.#next - this.#env.now())
  }

  #lookAfter(ms: number): void {
    this.#timer = this.#env.setTimer(Math.min(longestMs, Math.max(0, ms)), () => {
      if (!this.due) {
        this.#set()
        return
      }
      this.#ring()
      // The host may be writing for so long that the clock is stepped back meanwhile.
      this.#lookAfter(longestMs)
    })
  }
}

function isQueued({ queue }: Resident, id: MessageId): boolean {
  if (queue.length === 0) return false
  for (const { envelope } of queue) if (envelope.id === id) return true
  return false
}
