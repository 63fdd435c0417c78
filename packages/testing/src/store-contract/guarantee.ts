// guarantee.ts: what a store must hold, as data: a sentence, and a program that throws when it does not.
import assert from 'node:assert/strict'
import type { Scope, StoreDriver } from '@interstate/core'
import { carried } from './carried.ts'

/** A store under test. */
export interface StoreUnderTest {
  readonly store: StoreDriver
  /**
   * Closes the store and opens it again over the same data, as a process that starts anew does. A store without
   * durability gives the same instance.
   */
  reopen(): Promise<StoreDriver>
  /** Closes and removes it. `store.close()` by default. */
  close?(): Promise<void>
}

/** What {@link OpenStore} is asked for. */
export interface OpenStoreOptions {
  /** P. A store of scope `shard` must have so many; another may leave it aside. */
  readonly shards: number
}

/** Opens a fresh, empty store. */
export type OpenStore = (options: OpenStoreOptions) => StoreUnderTest | Promise<StoreUnderTest>

/** One thing that every store must hold. */
export interface StoreGuarantee {
  /** Its number in the list of guarantees. */
  readonly guarantee: `G${number}`
  readonly holds: string
  /**
   * The one scope for which it is made; all when left out. One that is made for all sees a store of scope `shard`
   * through a carrier: after each write, whatever left has arrived.
   */
  readonly scope?: Scope
  /** P, see {@link OpenStoreOptions}. 8 when left out. */
  readonly shards?: number
  /** Throws when it does not hold. Needs a fresh store. */
  run(context: StoreUnderTest): Promise<void>
}

/**
 * Opens a fresh store, runs one guarantee against it, closes it.
 *
 * @throws AssertionError when it does not hold, or is not made for the scope of this store.
 */
export async function checkStoreGuarantee({ run, scope, shards = 8 }: StoreGuarantee, open: OpenStore): Promise<void> {
  const under = await open({ shards })
  const seen = (store: StoreDriver) => (scope === undefined && store.scope === 'shard' ? carried(store) : store)
  let store = under.store
  try {
    assert.ok(scope === undefined || scope === store.scope, `This is for stores of scope ${scope}, not ${store.scope}.`)
    if (store.scope === 'shard') assert.equal(store.shards, shards, 'It was asked for another number of shards.')
    await run({
      store: seen(store),
      reopen: async () => {
        store = await under.reopen()
        return seen(store)
      },
    })
  } finally {
    await (under.close?.() ?? store.close())
  }
}

/** The store as it is, and then as it is after a restart. */
export async function* overRestart(
  store: StoreDriver,
  reopen: StoreUnderTest['reopen'],
): AsyncGenerator<StoreDriver, void> {
  yield store
  yield await reopen()
}
