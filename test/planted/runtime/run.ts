// run.ts: the house lives through a plan, on one store that outlives its hosts; then faults stop and everything is looked at.
import { type IdempotencyKey, InterstateError, idempotencyKey, type StoreDriver } from '@interstate/core'
import { createHost, type Host } from '@interstate/runtime'
import { VirtualEnv } from '@interstate/testing'
import {
  calling,
  checkHistory,
  FaultyStore,
  type Happened,
  History,
  listening,
  recording,
  takeStock,
} from '@interstate/testing/stores'
import { Alarm, Clerk, house } from './house.ts'
import type { Plan, Step } from './plan.ts'

/** What came of a run. */
export interface Outcome {
  readonly events: readonly Happened[]
  /** What is wrong: `G4 ...` from the history, or a sentence about the house. */
  readonly wrong: readonly string[]
}

/** A store that lasts for a whole run. */
export interface LastingStore {
  readonly store: StoreDriver
  dispose(): Promise<void>
}

/** See the file head. */
export async function play(plan: Plan, open: () => LastingStore): Promise<Outcome> {
  const { store, dispose } = open()
  const run = new Run(plan, store)
  try {
    return await run.play()
  } finally {
    await run.end()
    await dispose()
  }
}

/** A client's call, repeated under its key until it is acknowledged. */
interface Call {
  readonly clerk: string
  readonly to: string
  readonly n: number
  readonly asks: boolean
  readonly key: IdempotencyKey
  kept: boolean
}

const names = ['0', '1', '2'] as const
const hour = 3_600_000
/** After so long a silence a host is known to be gone, where hosts share the store. */
const detectMs = 2_000
/** How often a message is tried. */
const attempts = 6

class Run {
  readonly #plan: Plan
  readonly #env = new VirtualEnv()
  readonly #history = new History(this.#env)
  readonly #inner: StoreDriver
  readonly #recorded: StoreDriver
  readonly #troubles: Map<number, Plan['troubles'][number]['what']>
  readonly #calls: Call[] = []
  readonly #posted: number[] = []
  readonly #armed = new Map<string, number>()
  readonly #choked: number[] = []
  readonly #jammed = new Set<number>()
  readonly #tries = new Map<number, number>()
  readonly #paid = new Map<string, number>()
  readonly #house: ReturnType<typeof house>
  readonly #wrong: string[] = []
  readonly #paused: (() => void)[] = []
  #store: FaultyStore
  #host: Host | undefined
  #hosts = 0
  #writes = 0
  #n = 0
  #runs = 0

  constructor(plan: Plan, store: StoreDriver) {
    this.#plan = plan
    this.#inner = store
    this.#recorded = recording(store, this.#history)
    this.#store = new FaultyStore(this.#recorded)
    this.#troubles = new Map(plan.troubles.map(({ at, what }) => [at, what]))
    this.#house = house({
      pay: (key, n) => this.#pay(key, n),
      trial: (n) => this.#trial(n),
    })
  }

  async play(): Promise<Outcome> {
    await this.#inner.probe()
    await this.#begin()
    for (const step of this.#plan.steps) {
      await this.#take(step)
      await this.#live()
    }
    await this.#heal()
    await this.#look()
    await this.#purge()
    await takeStock(this.#recorded, this.#history)
    const { events } = this.#history
    this.#countAttempts(events)
    for (const { guarantee, what, at } of checkHistory(events, { atRest: true })) {
      this.#wrong.push(`${guarantee} ${what} (event ${at})`)
    }
    return { events, wrong: this.#wrong }
  }

  async end(): Promise<void> {
    for (const go of this.#paused.splice(0)) go()
    if (this.#host !== undefined && !this.#store.killed) {
      this.#store.heal()
      const stopped = this.#host.stop().catch(() => {})
      await this.#env.advance(10_000)
      await stopped
    }
    await this.#inner.close().catch(() => {})
  }

  async #begin(): Promise<void> {
    for (;;) {
      this.#hosts += 1
      const name = `host ${this.#hosts}`
      this.#store = new FaultyStore(lasting(this.#recorded))
      this.#trouble()
      this.#history.record({ event: 'process', host: name, became: 'started' })
      const { maxLive, groupTurns } = this.#plan
      try {
        const host = await createHost({
          entities: this.#house.entities,
          store: this.#store,
          env: this.#env,
          policies: {
            maxLive,
            groupTurns,
            groupPart: 2,
            stopOnTerminate: false,
            retry: { attempts, crashes: 1_000, firstDelayMs: 50, factor: 2 },
          },
          // Where hosts share the store, one that was killed or paused is soon known to be gone.
          cluster: { detectMs, lookMs: 30_000 },
          onSignal: listening(this.#history, name),
        })
        this.#host = calling(host, this.#history)
        return
      } catch (error) {
        if (!(error instanceof InterstateError)) throw error
        this.#wrong.push(`A host can't start: ${error.message}`)
        throw error
      }
    }
  }

  /** Lets the store of the present host have its troubles. */
  #trouble(): void {
    this.#store.troubleOf = () => {
      this.#writes += 1
      return this.#troubles.get(this.#writes - 1)
    }
  }

  /** Goes on with the next host if this one is dead. */
  async #live(): Promise<void> {
    await this.#env.advance(0)
    for (let tries = 0; this.#store.killed && tries < 50; tries += 1) {
      const late = this.#store
      this.#history.record({ event: 'process', host: `host ${this.#hosts}`, became: 'killed' })
      await this.#begin()
      await this.#env.advance(0)
      await late.land()
      await this.#env.advance(0)
    }
  }

  /** Clients have a clock of their own, that nobody steps. */
  #clientTime(): number {
    return 1_700_000_000_000 + this.#env.monotonic()
  }

  #now(): Host {
    return this.#host as Host
  }

  async #take(step: Step): Promise<void> {
    switch (step.do) {
      case 'tell':
        for (let left = step.count; left > 0; left -= 1) {
          const n = this.#n++
          const call = {
            clerk: names[step.clerk] ?? '0',
            to: names[step.till] ?? '0',
            n,
            asks: step.asks,
            key: idempotencyKey(`${n}`, { at: this.#clientTime() }),
            kept: false,
          }
          this.#calls.push(call)
          this.#tell(call)
        }
        return
      case 'again': {
        const call = this.#calls.at(step.which % Math.max(1, this.#calls.length))
        if (call !== undefined) this.#tell(call)
        return
      }
      case 'arm': {
        const name = names[step.alarm] ?? '0'
        await this.#surely((key) =>
          this.#now().send(Alarm.at(name), { type: 'Arm', ms: step.ms }, { idempotencyKey: key }),
        )
        this.#armed.set(name, step.ms)
        return
      }
      case 'disarm': {
        const name = names[step.alarm] ?? '0'
        await this.#surely((key) => this.#now().send(Alarm.at(name), { type: 'Disarm' }, { idempotencyKey: key }))
        return
      }
      case 'post': {
        const n = 10_000 + this.#n++
        const name = names[step.alarm] ?? '0'
        await this.#surely((key) =>
          this.#now().send(Alarm.at(name), { type: 'Post', ms: step.ms, n }, { idempotencyKey: key }),
        )
        this.#posted.push(n)
        return
      }
      case 'choke': {
        const n = 20_000 + this.#n++
        this.#jammed.add(n)
        await this.#surely((key) =>
          this.#now().send(Clerk.at('choking'), { type: 'Choke', n }, { idempotencyKey: key }),
        )
        this.#choked.push(n)
        return
      }
      case 'requeue':
        return this.#requeue()
      case 'wait':
        return this.#env.advance(step.ms)
      case 'step the clock':
        return this.#env.stepClock(step.ms)
      case 'settle':
        return this.#env.advance(0)
      case 'purge': {
        // Never past a call whose client may still repeat it.
        const open = this.#calls.filter(({ kept }) => !kept).map(({ key }) => Number(key.split('~')[0]))
        const before = Math.min(this.#clientTime(), ...open) - step.back
        void this.#now()
          .purge({ before })
          .catch(() => {})
        return this.#env.advance(0)
      }
      case 'restart':
        return this.#restart()
      case 'crash':
        this.#store.kill()
        return
      case 'take over':
        return this.#takeOver()
      default:
        step satisfies never
    }
  }

  #tell(call: Call): void {
    const { clerk, to, n, key } = call
    const kept = (): void => {
      call.kept = true
    }
    const command = { type: 'Tell', to, n } as const
    if (call.asks) {
      this.#now()
        .ask(Clerk.at(clerk), command, { idempotencyKey: key, timeoutMs: hour })
        .then(
          (reply) => {
            kept()
            if (reply?.n !== n) this.#wrong.push(`Tell ${n} was answered with ${JSON.stringify(reply)}.`)
          },
          () => {},
        )
    } else {
      this.#now()
        .send(Clerk.at(clerk), command, { idempotencyKey: key })
        .then(kept, () => {})
    }
  }

  /** Repeats a call until it is acknowledged. */
  async #surely(call: (key: IdempotencyKey) => Promise<unknown>): Promise<void> {
    const key = idempotencyKey(`sure ${this.#n++}`, { at: this.#clientTime() })
    let kept = false
    for (let tries = 0; tries < 50 && !kept; tries += 1) {
      call(key).then(
        () => {
          kept = true
        },
        () => {},
      )
      await this.#live()
      if (!kept) await this.#env.advance(600)
    }
    if (!kept) this.#wrong.push(`A call is never acknowledged: ${key}.`)
  }

  async #restart(): Promise<void> {
    let stopped = false
    const end = (): void => {
      stopped = true
    }
    this.#now().stop().then(end, end)
    for (let tries = 0; tries < 100 && !stopped && !this.#store.killed; tries += 1) await this.#env.advance(500)
    if (this.#store.killed) return
    if (!stopped) this.#wrong.push('A host does not stop.')
    this.#history.record({ event: 'process', host: `host ${this.#hosts}`, became: 'stopped' })
    await this.#begin()
  }

  /** The host is paused, in its next write at the latest; another one takes the shards meanwhile, and then it wakes. */
  async #takeOver(): Promise<void> {
    const { promise, resolve: wake } = Promise.withResolvers<void>()
    const store = this.#store
    store.beforeWrite = () => promise
    this.#paused.push(wake)
    await this.#env.advance(100)
    if (this.#store.killed) return
    // Who shares the shards with others has to fall silent for a while.
    if (store.scope !== 'store') store.fault = () => promise
    await this.#begin()
    await this.#env.advance(store.scope === 'store' ? 100 : 2 * detectMs)
    store.fault = () => undefined
    wake()
    await this.#env.advance(0)
  }

  async #requeue(): Promise<void> {
    this.#jammed.clear()
    const host = this.#now()
    void host.deadLetters
      .list()
      .then((letters) => host.deadLetters.requeue(...letters.map(({ id }) => id)))
      .catch(() => {})
    await this.#env.advance(0)
  }

  /** No more troubles: clients repeat what was not acknowledged, and everything comes to rest. */
  async #heal(): Promise<void> {
    this.#troubles.clear()
    await this.#live()
    for (let tries = 0; tries < 20 && this.#calls.some(({ kept }) => !kept); tries += 1) {
      for (const call of this.#calls) if (!call.kept) this.#tell(call)
      await this.#env.advance(1_000)
    }
    for (const { n, kept } of this.#calls) if (!kept) this.#wrong.push(`Tell ${n} is never acknowledged.`)
    await this.#calm()
    await this.#requeue()
    await this.#calm()
  }

  async #calm(): Promise<void> {
    let calm = false
    const drained = this.#now()
      .drain()
      .then(() => {
        calm = true
      })
    drained.catch(() => {})
    for (let minutes = 0; minutes < 30 || (!calm && minutes < 60); minutes += 1) await this.#env.advance(60_000)
    if (!calm) this.#wrong.push('The house does not come to rest.')
  }

  /** Looks whether everything happened once. */
  async #look(): Promise<void> {
    const host = this.#now()
    const { clerk, till, payment, audit, alarm } = this.#house
    const same = (what: string, found: unknown, expected: unknown): void => {
      const [one, other] = [JSON.stringify(found), JSON.stringify(expected)]
      if (one !== other) this.#wrong.push(`${what}: ${one} instead of ${other}.`)
    }
    const told = await Promise.all(names.map(async (key) => (await host.read(clerk.at(key)))?.context.told ?? []))
    const seen = await Promise.all(names.map(async (key) => (await host.read(till.at(key)))?.context.seen ?? {}))
    const heard = await Promise.all(names.map(async (key) => (await host.read(audit.at(key)))?.context.heard ?? []))
    for (const [index, name] of names.entries()) {
      const calls = this.#calls.filter(({ clerk: of }) => of === name).map(({ n }) => n)
      same(`Clerk ${name} was told`, sorted(told[index]?.map(({ n }) => n) ?? []), calls)
      for (const [at, to] of names.entries()) {
        const sent = (told[index] ?? []).filter((each) => each.to === to).flatMap(({ n }) => [`${n}.1`, `${n}.2`])
        same(`Till ${to} has seen of clerk ${name}`, seen[at]?.[`clerk/${name}`] ?? [], sent)
      }
      const mine = this.#calls.filter(({ to }) => to === name).map(({ n }) => n)
      const paid = await Promise.all(mine.map(async (n) => [n, (await host.read(payment.at(`${n}`)))?.value] as const))
      for (const [n, value] of paid) {
        if (value !== 'paid' && value !== 'expired') this.#wrong.push(`Payment ${n} is ${value ?? 'nowhere'}.`)
      }
      const done = paid.filter(([, value]) => value === 'paid').map(([n]) => n)
      same(`Audit ${name} heard`, sorted(heard[index] ?? []), sorted(done))
    }
    const posted = names.flatMap((name) => seen[0]?.[`alarm/${name}`] ?? []).map((each) => Number(each.split('.')[0]))
    same('Posted', sorted(posted), sorted(this.#posted))
    same('Choked', sorted((await host.read(clerk.at('choking')))?.context.choked ?? []), sorted(this.#choked))
    const payments = [...this.#paid.values()]
    same('Paid twice', sorted(payments), sorted([...new Set(payments)]))
    for (const name of names) {
      const view = await host.read(alarm.at(name))
      if (view === undefined) continue
      if (view.value !== 'idle') this.#wrong.push(`Alarm ${name} never rang.`)
      for (const { due, at } of view.context.rang) {
        if (at < due) this.#wrong.push(`Alarm ${name} rang ${due - at} ms early.`)
      }
    }
    if ((await host.deadLetters.list()).length > 0) this.#wrong.push('Dead letters are left.')
    if ((await host.parked.list()).length > 0) this.#wrong.push('Entities are parked.')
  }

  /** A message that fails is tried no more often than the policy says. */
  #countAttempts(events: readonly Happened[]): void {
    const failed = new Map<string, number>()
    for (const event of events) {
      if (event.event === 'requeued') failed.delete(event.id)
      if (event.event !== 'told' || event.signal.signal !== 'retry') continue
      const { message } = event.signal
      failed.set(message, (failed.get(message) ?? 0) + 1)
      if (failed.get(message) === attempts) this.#wrong.push(`${message} is tried for ever.`)
    }
  }

  /** Two housekeepers with two opinions: what one has purged the other does not bring back. */
  async #purge(): Promise<void> {
    const [call] = this.#calls
    if (call === undefined) return
    const host = this.#now()
    await host.purge({ before: this.#clientTime() + 1 })
    await host.purge({ before: 0 })
    const { clerk, to, n, key } = call
    const again = host.send(Clerk.at(clerk), { type: 'Tell', to, n }, { idempotencyKey: key })
    const why = await again.then(
      () => 'accepted',
      (error: InterstateError) => error.code,
    )
    if (why !== 'IDEMPOTENCY_KEY_EXPIRED') this.#wrong.push(`A call that was purged is ${why}.`)
    await this.#calm()
  }

  #pay(key: string, n: number): Promise<void> {
    this.#paid.set(key, n)
    this.#runs += 1
    return new Promise((resolve) => void this.#env.setTimer((this.#runs * 37) % 90, resolve))
  }

  #trial(n: number): void {
    if (this.#jammed.has(n)) throw new Error('chokes')
    const tried = this.#tries.get(n) ?? 0
    this.#tries.set(n, tried + 1)
    if (n < 20_000 && n % this.#plan.stumbles === 1 && tried < 2) throw new Error('stumbles')
  }
}

/** A store that the end of a host does not close. */
function lasting(store: StoreDriver): StoreDriver {
  return { ...store, close: async () => {} }
}

function sorted(numbers: readonly number[]): readonly number[] {
  return [...numbers].sort((one, other) => one - other)
}
