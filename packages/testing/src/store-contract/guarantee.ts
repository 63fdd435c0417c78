// guarantee.ts: what a store must hold, as data: a sentence, and a program that throws when it does not.
import type { StoreDriver } from '@interstate/core'

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

/** One thing that every store must hold. */
export interface StoreGuarantee {
  /** Its number in the list of guarantees. */
  readonly guarantee: `G${number}`
  readonly holds: string
  /** Throws when it does not hold. Needs a fresh store. */
  run(context: StoreUnderTest): Promise<void>
}

/** Opens a fresh store, runs one guarantee against it, closes it. */
export async function checkStoreGuarantee(
  { run }: StoreGuarantee,
  open: () => StoreUnderTest | Promise<StoreUnderTest>,
): Promise<void> {
  let { store, ...rest } = await open()
  const reopen = async (): Promise<StoreDriver> => {
    store = await rest.reopen()
    return store
  }
  try {
    await run({ store, reopen })
  } finally {
    await (rest.close?.() ?? store.close())
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
