// calm.ts: one host takes all orders, the day ends, the books are checked.
import { parseEntityId } from '@interstate/core'
import { audit } from './audit.ts'
import type { Order } from './orders.ts'
import type { Progress } from './progress.ts'
import type { Findings } from './report.ts'
import { openShop } from './shop.ts'
import { type ShopFiles, shopIn } from './shop-files.ts'

const ordersAtOnce = 1_024

/** Runs the shop. @param orders - As they stand in the input, repeats and all. */
export async function runCalm(
  files: ShopFiles,
  orders: readonly Order[],
  book: ReadonlyMap<string, Order>,
  progress: Progress,
): Promise<Pick<Findings, 'audit' | 'work'>> {
  const ended = new Set<string>()
  const end = (order: string): void => {
    ended.add(order)
    progress.at(ended.size)
  }
  const begin = performance.now()
  const shop = await openShop({
    ...shopIn(files),
    // As in production: deciding every turn twice is for tests, and the report tells a speed.
    policies: { verify: 'sampled' },
    onSignal(signal) {
      if (signal.signal === 'turn' && signal.type === 'Close') end(parseEntityId(signal.entity).key)
    },
  })
  await shop.stockUp()
  await shop.take(orders, {
    atOnce: ordersAtOnce,
    onTaken: ({ order }, how) => {
      if (how === 'repeated') end(order)
    },
  })
  await shop.endDay()
  const seconds = (performance.now() - begin) / 1_000
  const { turns, duplicates } = shop.host.counters()
  const found = await audit(shop, book.keys(), files.ledger)
  await shop.close()
  const messages = Object.values(turns).reduce((sum, number) => sum + number, 0)
  return { audit: found, work: { messages, seconds, duplicatesRefused: duplicates, kills: 0, killsAtWork: 0 } }
}
