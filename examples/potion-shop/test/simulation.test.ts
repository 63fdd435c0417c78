// Long random days of the whole shop, on the real runtime: whatever fails, its promises hold.
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sqliteStore } from '@interstate/store-sqlite'
import type { SimulatedStore } from '@interstate/testing'
import { expect, test } from 'vitest'
import { payment } from '../src/payment.ts'
import { stock } from '../src/stock.ts'
import { shop } from './shop-world.ts'

/** A file of its own for each day. */
const file: SimulatedStore = {
  name: 'sqlite',
  open: () => {
    const directory = mkdtempSync(join(tmpdir(), 'potion-shop-'))
    const open = () => sqliteStore({ path: join(directory, 'shop.db'), durability: 'process-crash-only' })
    let store = open()
    return {
      store,
      reopen: async () => {
        await store.close()
        store = open()
        return store
      },
      close: async () => {
        await store.close()
        await rm(directory, { recursive: true, force: true })
      },
    }
  },
}

test('The shop keeps its promises on long days on which everything fails', { timeout: 60_000 }, async () => {
  const watched = shop
    .sometimes('a bottle is sold', (w) => w.any(stock, ({ context }) => context.sold > 0))
    .sometimes('somebody gets the money back', (w) => w.any(payment, ({ context }) => context.refunded > 0))
    .sometimes('a parcel is booked', (w) => Object.keys(w.outside.bookings).length > 0)
  const report = await watched.simulate({ runs: 30, faults: 'harsh' })
  expect(report.crashes).toBeGreaterThan(30)
  console.info(String(report))
})

test('so it does with three hosts that share the work', { timeout: 60_000 }, async () => {
  const report = await shop.simulate({ runs: 12, hosts: 3, faults: 'harsh' })
  expect(report.crashes).toBeGreaterThan(12)
  console.info(String(report))
})

test('so it does with its books in a file', { timeout: 60_000 }, async () => {
  const report = await shop.simulate({ runs: 6, faults: 'harsh', stores: [file] })
  expect(report.stores).toEqual(['sqlite'])
})
