// timeline.ts: the one time of a run: everything that happens stands on it, one thing after the other.
//   T1  What happens at one moment happens in the order in which it was put there.
//   T2  The next thing does not happen before all that follows from the last one without a wait has happened, real
//       input and output of a store included. So a run is the same however fast its machine is.
//   T3  What belongs to a process that has ended never happens; of one that is frozen it waits until it wakes.
//   T4  Where for a while nothing but the rounds of hosts has happened, nothing else ever would: they stand still, and the
//       steady clocks of the hosts with them, until something else is to happen.
import { setImmediate } from 'node:timers'
import { WorldError } from '../failure/error.ts'

/** Whose something is. */
export interface Owner {
  readonly state: 'alive' | 'frozen' | 'dead'
  /** Keeps something until the process wakes. */
  hold(entry: Entry): void
}

/** Something that will happen. */
export interface Entry {
  at: number
  readonly order: number
  readonly owner: Owner | undefined
  readonly run: () => unknown
  /** It rings for ever, and mostly for nothing. */
  readonly isRound: boolean
  isOff: boolean
}

/** A run of thousands of messages needs some thousands at one moment; a host that spins needs no end of them. */
const mostAtOnce = 100_000
/** Rounds and looks of hosts have found all that there is to find after so long, in milliseconds. */
const stillMs = 20_000
/** Less is not worth it. */
const leastStillMs = 1_000

/** See the file head. */
export class Timeline {
  /** Whose thing is happening. */
  current: Owner | undefined
  #now = 0
  #stoodStill = 0
  #stirred = 0
  #stirs = 0
  #order = 0
  #underWay = 0
  /** Things that happened since time last passed. */
  #atOnce = 0
  #failure: { readonly error: unknown } | undefined
  readonly #heap: Entry[] = []

  /** Milliseconds since the run began. */
  get now(): number {
    return this.#now
  }

  /** The same without the time in which rounds stood still. */
  get steady(): number {
    return this.#now - this.#stoodStill
  }

  /** How often something happened that was more than a round. */
  get stirs(): number {
    return this.#stirs
  }

  /** Something happens that is more than a round. */
  stir(): void {
    this.#stirs += 1
    this.#stirred = this.#now
  }

  /** Puts something on the timeline, after a wait. */
  after(ms: number, owner: Owner | undefined, run: () => unknown, isRound = false): Entry {
    this.#order += 1
    const entry = { at: this.#now + Math.max(0, ms), order: this.#order, owner, run, isRound, isOff: false }
    push(this.#heap, entry)
    return entry
  }

  /** Resolves after a wait, unless the process has ended by then. */
  wait(ms: number, owner?: Owner): Promise<void> {
    return new Promise((resolve) => void this.after(ms, owner, resolve))
  }

  /** Real work, such as a store's: nothing else happens before it has ended. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#underWay += 1
    try {
      return await work()
    } finally {
      this.#underWay -= 1
    }
  }

  /** Lets things happen until one says so, until nothing is left, or until a time. */
  async run({ until, end = Number.POSITIVE_INFINITY }: { until: () => boolean; end?: number }): Promise<void> {
    await this.#calm()
    while (!until()) {
      const entry = this.#heap[0]
      if (entry === undefined || entry.at > end) break
      if (entry.isRound && this.#now - this.#stirred >= stillMs && this.#standStill(end)) continue
      pop(this.#heap)
      if (entry.isOff) continue
      this.#pass(entry.at)
      await this.#happen(entry)
    }
    if (Number.isFinite(end) && !until()) this.#now = Math.max(this.#now, end)
  }

  /** @returns Whether rounds wait for something else now. */
  #standStill(end: number): boolean {
    const rounds = this.#heap.filter(({ isRound, isOff }) => isRound && !isOff)
    let next = end
    for (const { at, owner, isRound, isOff } of this.#heap) {
      if (!isRound && !isOff && owner?.state !== 'dead') next = Math.min(next, at)
    }
    const ms = next - (this.#heap[0] as Entry).at + 1
    if (!Number.isFinite(ms) || ms < leastStillMs) return false
    const others = this.#heap.splice(0).filter(({ isRound, isOff }) => !isRound && !isOff)
    for (const each of rounds) each.at += ms
    for (const each of [...others, ...rounds]) push(this.#heap, each)
    this.#stoodStill += ms
    return true
  }

  #pass(at: number): void {
    this.#atOnce = at > this.#now ? 0 : this.#atOnce + 1
    this.#now = Math.max(this.#now, at)
    if (this.#atOnce < mostAtOnce) return
    const what = `A host goes round at one moment: ${mostAtOnce} things happened and no time passed.`
    throw new WorldError('GUARANTEE_BROKEN', what, { name: 'G16' })
  }

  async #happen(entry: Entry): Promise<void> {
    const { owner } = entry
    if (owner?.state === 'dead') return
    if (owner?.state === 'frozen') {
      owner.hold(entry)
      return
    }
    this.current = owner
    const result = entry.run()
    if (result instanceof Promise) result.catch(this.#fail)
    await this.#calm()
    this.current = undefined
  }

  readonly #fail = (error: unknown): void => {
    this.#failure ??= { error }
  }

  async #calm(): Promise<void> {
    // One turn of the event loop ends every chain of promises that waits for nothing.
    do await new Promise<void>((resolve) => setImmediate(resolve))
    while (this.#underWay > 0)
    if (this.#failure !== undefined) throw this.#failure.error
  }
}

function isBefore(one: Entry, other: Entry): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order)
}

/** A binary heap: a run has tens of thousands of entries, most of them soon over. */
function push(heap: Entry[], entry: Entry): void {
  let place = heap.length
  while (place > 0) {
    const parent = (place - 1) >> 1
    const above = heap[parent] as Entry
    if (isBefore(above, entry)) break
    heap[place] = above
    place = parent
  }
  heap[place] = entry
}

function pop(heap: Entry[]): void {
  const last = heap.pop() as Entry
  if (heap.length === 0) return
  let place = 0
  for (;;) {
    const left = 2 * place + 1
    const right = left + 1
    if (left >= heap.length) break
    const child = right < heap.length && isBefore(heap[right] as Entry, heap[left] as Entry) ? right : left
    if (isBefore(last, heap[child] as Entry)) break
    heap[place] = heap[child] as Entry
    place = child
  }
  heap[place] = last
}
