// A host that was paused or cut off accepts nothing any more once another one runs its shards: what it let in would wait,
// acknowledged, until the next restart, because an owner reads inboxes when it takes over and then knows what comes.
import { contract, defineAggregate, effect, entityId, idempotencyKey, type StoreDriver } from '@interstate/core'
import { createHost, type Host, type Signal } from '@interstate/runtime'
import { VirtualEnv } from '@interstate/testing'
import { checkHistory, FaultyStore, History, listening, recording, takeStock } from '@interstate/testing/stores'
import { describe, expect, test } from 'vitest'
import { assign, setup } from 'xstate'
import { z } from 'zod'
import { type StoreUnderTest, storesOfScope } from './stores.ts'

const Box = contract('box', { commands: { Put: z.object({ n: z.number() }), Fetch: z.object({}) } })
const twentyMinutes = 20 * 60_000

describe.each(storesOfScope('store'))('G5, G16: on $name, when another host has taken the shards', (under) => {
  test('a call that the one before accepts late is refused, and is new to the present owner', async () => {
    await using scene = new Scene(under)
    scene.kill(await scene.begin())
    // It follows a crash: every message goes into its inbox before it is handled.
    const paused = await scene.begin()
    const calls = (host: Host) => [
      host.send(Box.at('a'), { type: 'Put', n: 1 }, scene.once),
      host.ask(Box.at('b'), { type: 'Put', n: 2 }),
    ]
    const wake = paused.store.holdWrite()
    const refused = calls(paused.host).map((call) => expect(call).rejects.toMatchObject({ code: 'LEASE_LOST' }))
    const owner = await scene.begin()
    wake()
    await Promise.all(refused)
    await expect(paused.host.drain()).rejects.toMatchObject({ code: 'LEASE_LOST' })
    expect(paused.fatal).toMatchObject([{ error: { code: 'LEASE_LOST' } }])
    await scene.env.advance(twentyMinutes)
    expect(await scene.kept(owner.host)).toEqual([undefined, undefined])
    const [sent] = await Promise.all(calls(owner.host))
    expect(sent).toMatchObject({ duplicate: false })
    expect(await scene.kept(owner.host)).toEqual([[1], [2]])
    await scene.judge()
  })

  test('a call to an entity that stands still, which no turn would fence, is refused too', async () => {
    await using scene = new Scene(under)
    const paused = await scene.begin()
    await paused.host.send(Box.at('a'), { type: 'Put', n: jams })
    await scene.env.advance(0)
    expect(await paused.host.parked.list()).toHaveLength(1)
    const call = ({ host }: Process) => host.send(Box.at('a'), { type: 'Put', n: 1 }, scene.once)
    const wake = paused.store.holdWrite()
    const refused = expect(call(paused)).rejects.toMatchObject({ code: 'LEASE_LOST' })
    const owner = await scene.begin()
    wake()
    await refused
    expect(paused.store.groups.at(-1)).toMatchObject({ mode: 'together', accepted: [{}], commits: [] })
    expect(await call(owner)).toMatchObject({ duplicate: false })
    await owner.host.parked.unpark(entityId('box', 'a'), 'dead-letter')
    await owner.host.drain()
    expect(await scene.kept(owner.host)).toEqual([[1], undefined])
    await scene.judge()
  })

  test('the result of an effect that the one before brings late is dropped: the owner has its own', async () => {
    await using scene = new Scene(under)
    scene.kill(await scene.begin())
    const paused = await scene.begin()
    await paused.host.send(Box.at('a'), { type: 'Fetch' })
    await scene.env.advance(0)
    const wake = paused.store.holdWrite()
    scene.answer()
    await scene.env.advance(0)
    const owner = await scene.begin()
    wake()
    await scene.env.advance(0)
    expect(paused.fatal).toHaveLength(1)
    scene.answer()
    await scene.env.advance(twentyMinutes)
    await owner.host.drain()
    expect((await owner.host.read(scene.box.at('a')))?.context.fetched).toBe(1)
    await scene.judge()
  })
})

/** A number that no box takes. */
const jams = 13

interface Process {
  readonly host: Host
  readonly store: FaultyStore
  readonly fatal: readonly Signal[]
}

/** Hosts that share one store, which none of them closes. */
class Scene implements AsyncDisposable {
  readonly env = new VirtualEnv()
  readonly once = { idempotencyKey: idempotencyKey('once', { at: this.env.now() }) }
  readonly #opened: ReturnType<StoreUnderTest['open']>
  readonly #history = new History(this.env)
  readonly #recorded: StoreDriver
  readonly #processes: Process[] = []
  #answers: (() => void)[] = []

  readonly box = defineAggregate(
    Box,
    setup({
      types: Box.types<{ kept: readonly number[]; fetched: number }>(),
      actors: { fetch: effect(() => new Promise<void>((resolve) => this.#answers.push(resolve))) },
    }).createMachine({
      context: { kept: [], fetched: 0 },
      initial: 'idle',
      on: {
        Put: {
          actions: assign({
            kept: ({ context, event }) => {
              if (event.n === jams) throw new Error('jams')
              return [...context.kept, event.n]
            },
          }),
        },
      },
      states: {
        idle: { on: { Fetch: 'fetching' } },
        fetching: {
          on: { Fetch: {} },
          invoke: {
            src: 'fetch',
            onDone: { target: 'idle', actions: assign({ fetched: ({ context }) => context.fetched + 1 }) },
          },
        },
      },
    }),
    { poison: 'park' },
  )

  constructor(under: StoreUnderTest) {
    this.#opened = under.open()
    this.#recorded = { ...recording(this.#opened.store, this.#history), close: async () => {} }
  }

  /** The next host begins, and takes the shards. */
  async begin(): Promise<Process> {
    const store = new FaultyStore(this.#recorded)
    const fatal: Signal[] = []
    const tell = listening(this.#history, `host ${this.#processes.length + 1}`)
    const host = await createHost({
      entities: [this.box],
      store,
      env: this.env,
      policies: { retry: { attempts: 1 }, stopOnTerminate: false },
      onSignal: (signal) => {
        tell(signal)
        if (signal.signal === 'fatal') fatal.push(signal)
      },
    })
    const process = { host, store, fatal }
    this.#processes.push(process)
    await this.env.advance(0)
    return process
  }

  kill({ store }: Process): void {
    store.kill()
  }

  /** Lets all effects that run come to their end. */
  answer(): void {
    for (const answer of this.#answers.splice(0)) answer()
  }

  /** What boxes a and b hold, when all that is left to do is done. */
  kept(host: Host): Promise<readonly (readonly number[] | undefined)[]> {
    return Promise.all(['a', 'b'].map(async (key) => (await host.read(this.box.at(key)))?.context.kept))
  }

  /** At rest nothing waits, and nothing that was written speaks against a guarantee. */
  async judge(): Promise<void> {
    await this.env.advance(twentyMinutes)
    const shards = Array.from({ length: this.#recorded.shards }, (_, shard) => shard)
    expect(await this.#recorded.inbox(shards, 0, 100)).toEqual([])
    await takeStock(this.#recorded, this.#history)
    expect(checkHistory(this.#history.events, { atRest: true })).toEqual([])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#processes.at(-1)?.host.stop()
    await this.#opened.store.close()
    await this.#opened.dispose()
  }
}
