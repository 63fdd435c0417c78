// shop-files.ts: the files that go with a shop: its store, if that is one, what the carrier keeps, the order book.
import { rm } from 'node:fs/promises'
import { sqliteStore } from '@interstate/store-sqlite'
import { openCarrier } from './carrier.ts'
import type { ShopOptions } from './shop.ts'

/** See the file head. */
export interface ShopFiles {
  /** What the framework keeps; not there where that is in Redis. */
  readonly store: string
  /** What the carrier keeps. */
  readonly ledger: string
  /** Every order that the shop was given. */
  readonly book: string
}

/** The files that go with a store. */
export function filesBeside(store: string): ShopFiles {
  return { store, ledger: `${store}.carrier.jsonl`, book: `${store}.orders.jsonl` }
}

/** A shop that is in files altogether. */
export function shopIn({ store, ledger }: ShopFiles): Pick<ShopOptions, 'store' | 'carrier'> {
  return { store: sqliteStore({ path: store }), carrier: openCarrier(ledger) }
}

/** Deletes the files of a shop. */
export async function clearAway({ store, ledger, book }: ShopFiles): Promise<void> {
  for (const path of [store, `${store}-wal`, `${store}-shm`, `${store}-lock`, ledger, book])
    await rm(path, { force: true })
}
